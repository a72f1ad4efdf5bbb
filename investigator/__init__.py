# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumes every message of Project Thoth and acts on it; `faust -A investigator` runs the application."""

from typing import TYPE_CHECKING

import agents  # noqa: F401  `faust -A investigator` finds packages of the working directory only during this import

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

__version__ = "0.1.0"


def __getattr__(name: str) -> "Investigator":
    """Build the application at the first access to `app`, so that an import of another module builds nothing."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from investigator.app import app_from_environment  # noqa: PLC0415  only here, since it imports everything

    # The import bound the name `app` to the module; bind it to the application instead.
    globals()["app"] = application = app_from_environment()
    return application

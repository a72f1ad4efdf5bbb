# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumes every message of Project Thoth and acts. The application is `investigator.app`: `faust -A investigator`."""

from typing import TYPE_CHECKING

import agents  # noqa: F401  `faust -A investigator` finds packages of the working directory only during this import

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

__version__ = "0.1.0"


def __getattr__(name: str) -> "Investigator":
    """Build the application when it is asked for, so that importing a module of the package builds nothing."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from investigator.app import app_from_environment  # noqa: PLC0415  this import is the building

    # The import has bound the name to the module of that name; from now on it is the application.
    globals()["app"] = application = app_from_environment()
    return application

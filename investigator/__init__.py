# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumes every message of Project Thoth and acts on it; `faust -A investigator` runs the application."""

import sys
from typing import TYPE_CHECKING

import agents  # noqa: F401  `faust -A investigator` finds packages of the working directory only during this import

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

__version__ = "0.1.0"


def __getattr__(name: str) -> "Investigator":
    """Build the application at the first access to `app`, so that an import of another module builds nothing."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _refuse_untested_versions()
    from investigator.app import app_from_environment  # noqa: PLC0415  only here, since it imports everything

    # The import bound the name `app` to the module; bind it to the application instead.
    globals()["app"] = application = app_from_environment()
    return application


def _refuse_untested_versions() -> None:
    # Before the import of the application: one of another version may lack the names that are imported there.
    from investigator.errors import StartupError  # noqa: PLC0415  importing the package alone imports nothing of it
    from investigator.kafka.internals import refuse_untested_versions  # noqa: PLC0415  same

    try:
        refuse_untested_versions()
    except StartupError as error:
        sys.exit(str(error))

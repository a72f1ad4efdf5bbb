# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario is made of, and the names that all four use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected
from sandbox.play.fixtures import PYTORCH, Release

__all__ = ["Scenario"]

CLICK = Release("click", "8.1.3")
NUMPY = Release("numpy", "1.22.4")
REQUESTS = Release("requests", "2.27.1")
TENSORFLOW = Release("tensorflow", "2.9.1")
TORCH = Release("torch", "1.11.0+cpu", PYTORCH)
OLD_TORCH = Release("torch", "1.10.2+cpu", PYTORCH)
ATOMICWRITES = Release("atomicwrites", "1.4.0")
CTX = (Release("ctx", "0.1.2"), Release("ctx", "0.2.2"))

RELEASED = "thoth.package-release.package-released"
UNRESOLVED = "thoth.investigator.unresolved-package"
UNREVSOLVED = "thoth.investigator.unrevsolved-package"
UNANALYZED = "thoth.investigator.si-unanalyzed-package"
RE_RUN = "thoth.investigator.adviser-re-run"
SOLVED = "thoth.solver.solved-package"
CVE = "thoth.cve-update.cve-provided"
JUSTIFICATION = "thoth.advise-reporter.advise-justification"
HASHES = "thoth.package-update.hash-mismatch"
PACKAGE_GONE = "thoth.package-update.missing-package"
VERSION_GONE = "thoth.package-update.missing-package-version"
SOURCES = "thoth.update-provides-source-distro"
ADVISE = "thoth.adviser-trigger"
RUN_URL = "thoth.kebechet-run-url-trigger"

ADMINISTRATOR = "kebechet-administrator"
SECURITY = "security-indicator"


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Attributes:
        number: its number in the contract.
        title: its name there.
        closes: what it means that the loop has closed.
        begin: lets the actors send their messages.
        expected: what has to come of them, to the piece.
        still_open: tells what else is lacking for the loop to be closed.
    """

    number: int
    title: str
    closes: str
    begin: Callable[[ScenarioContext], Awaitable[None]]
    expected: Callable[[ScenarioContext], Expected]
    still_open: Callable[[ScenarioContext], Awaitable[list[str]]]

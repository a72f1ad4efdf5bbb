# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a scenario, and the names that all four scenarios use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected
from sandbox.play.fixtures import PYTORCH, Release

__all__ = ["Scenario"]

#: Package versions that the scenarios mention.
CLICK = Release("click", "8.1.3")
NUMPY = Release("numpy", "1.22.4")
REQUESTS = Release("requests", "2.27.1")
TENSORFLOW = Release("tensorflow", "2.9.1")
TORCH = Release("torch", "1.11.0+cpu", PYTORCH)
OLD_TORCH = Release("torch", "1.10.2+cpu", PYTORCH)
ATOMICWRITES = Release("atomicwrites", "1.4.0")
CTX = (Release("ctx", "0.1.2"), Release("ctx", "0.2.2"))

#: Base names of topics.
PACKAGE_RELEASED = "thoth.package-release.package-released"
UNRESOLVED_PACKAGE = "thoth.investigator.unresolved-package"
UNREVSOLVED_PACKAGE = "thoth.investigator.unrevsolved-package"
SI_UNANALYZED_PACKAGE = "thoth.investigator.si-unanalyzed-package"
ADVISER_RE_RUN = "thoth.investigator.adviser-re-run"
SOLVED_PACKAGE = "thoth.solver.solved-package"
CVE_PROVIDED = "thoth.cve-update.cve-provided"
ADVISE_JUSTIFICATION = "thoth.advise-reporter.advise-justification"
HASH_MISMATCH = "thoth.package-update.hash-mismatch"
MISSING_PACKAGE = "thoth.package-update.missing-package"
MISSING_PACKAGE_VERSION = "thoth.package-update.missing-package-version"
PROVIDES_SOURCE_DISTRO = "thoth.update-provides-source-distro"
ADVISER_TRIGGER = "thoth.adviser-trigger"
KEBECHET_RUN_URL_TRIGGER = "thoth.kebechet-run-url-trigger"

#: Kinds of workflow.
KEBECHET_ADMINISTRATOR = "kebechet-administrator"
SECURITY_INDICATOR = "security-indicator"


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Attributes:
        number: its number in the contract, from 1.
        title: its name in the contract.
        outcome: the state in which its loop is closed, as a sentence.
        start: sends the messages that no other message of the run has caused.
        expected: returns the exact numbers of messages and workflows that must follow, and the flags.
        open_items: returns one line for each further condition of a closed loop that is not met.
    """

    number: int
    title: str
    outcome: str
    start: Callable[[ScenarioContext], Awaitable[None]]
    expected: Callable[[ScenarioContext], Expected]
    open_items: Callable[[ScenarioContext], Awaitable[list[str]]]

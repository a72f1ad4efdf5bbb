# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages about an unresolved version of flask, and the solver workflows that they lead to."""

from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.investigator.unresolved-package"
FLASK = {"package_name": "flask", "index_url": PYPI}
VERSIONS = ["2.0.2", "2.0.1", "2.0.0rc1", "1.1.4"]


def harness_with_versions(faults: FaultInjector | None = None, **variables: str) -> AgentHarness:
    """Return a harness whose index lists four versions of flask."""
    harness = AgentHarness(faults, **variables)
    harness.index.listed[PYPI, "flask"] = list(VERSIONS)
    return harness


def scheduled(harness: AgentHarness) -> list[tuple[str, str]]:
    """Return version and solver of each scheduled workflow, in the order of scheduling."""
    return [
        (
            workflow.parameters["THOTH_SOLVER_PACKAGES"].removeprefix("flask==="),
            workflow.parameters["THOTH_SOLVER_NAME"],
        )
        for workflow in harness.workflows
    ]

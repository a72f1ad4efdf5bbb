# SPDX-License-Identifier: GPL-3.0-or-later
from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.investigator.si-unanalyzed-package"


async def test_the_analysis_of_security_indicators_is_scheduled() -> None:
    """With the aggregation function that the graph expects the results of."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.parameters("security-indicator") == [
        {
            "THOTH_SECURITY_INDICATORS_PACKAGE_NAME": "flask",
            "THOTH_SECURITY_INDICATORS_PACKAGE_VERSION": "2.0.2",
            "THOTH_SECURITY_INDICATORS_PACKAGE_INDEX": PYPI,
            "THOTH_SECURITY_INDICATORS_AGGREGATION_FUNCTION": "process_data",
        }
    ]


async def test_what_was_analysed_meanwhile_is_not_analysed_again() -> None:
    """The graph is asked first."""
    harness = AgentHarness()
    harness.graph.aggregated.add(("flask", "2.0.2", PYPI))

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.workflows == []


async def test_nothing_is_asked_when_the_analysis_is_switched_off() -> None:
    """Neither the graph nor the cluster."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SECURITY="0")

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.faults.calls == 0

# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import RELEASE, Example

BASE_NAME = "thoth.investigator.si-unanalyzed-package"
EXAMPLE = Example(BASE_NAME, required=RELEASE, workflows={Mode.MIDDLETIER: ["security-indicator"]})


async def test_the_analysis_of_security_indicators_is_scheduled() -> None:
    """The graph expects results that this aggregation function made."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.parameters("security-indicator") == [
        {
            "THOTH_SECURITY_INDICATORS_PACKAGE_NAME": "flask",
            "THOTH_SECURITY_INDICATORS_PACKAGE_VERSION": "2.0.2",
            "THOTH_SECURITY_INDICATORS_PACKAGE_INDEX": PYPI,
            "THOTH_SECURITY_INDICATORS_AGGREGATION_FUNCTION": "process_data",
        }
    ]


async def test_a_version_that_was_analysed_since_is_not_analysed_again() -> None:
    """The worker asks the graph first."""
    harness = AgentHarness()
    harness.graph.aggregated.add(("flask", "2.0.2", PYPI))

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.workflows == []


async def test_nothing_is_called_when_the_analysis_is_disabled() -> None:
    """Neither the graph nor the cluster."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_SECURITY="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.faults.calls == 0

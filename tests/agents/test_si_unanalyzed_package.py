# SPDX-License-Identifier: GPL-3.0-or-later
from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, World

BASE_NAME = "thoth.investigator.si-unanalyzed-package"


async def test_the_analysis_of_security_indicators_is_scheduled() -> None:
    """With the aggregation function that the graph expects the results of."""
    world = World()

    assert await world.handle(BASE_NAME, RELEASE) is None

    assert world.parameters("security-indicator") == [
        {
            "THOTH_SECURITY_INDICATORS_PACKAGE_NAME": "flask",
            "THOTH_SECURITY_INDICATORS_PACKAGE_VERSION": "2.0.2",
            "THOTH_SECURITY_INDICATORS_PACKAGE_INDEX": PYPI,
            "THOTH_SECURITY_INDICATORS_AGGREGATION_FUNCTION": "process_data",
        }
    ]


async def test_what_was_analysed_meanwhile_is_not_analysed_again() -> None:
    """The graph is asked first."""
    world = World()
    world.graph.aggregated.add(("flask", "2.0.2", PYPI))

    assert await world.handle(BASE_NAME, RELEASE) is None

    assert world.workflows == []


async def test_nothing_is_asked_when_the_analysis_is_switched_off() -> None:
    """Neither the graph nor the cluster."""
    world = World(THOTH_INVESTIGATOR_SCHEDULE_SECURITY="0")

    assert await world.handle(BASE_NAME, RELEASE) is None

    assert world.outside.calls == 0

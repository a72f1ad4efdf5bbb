# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.agents.examples import EXAMPLES
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.advise-reporter.advise-justification"
LABELS = {"advise_message": "flask is slow", "justification_type": "WARNING", "thoth_environment": "ocp4-test"}


def count(harness: AgentHarness) -> float | None:
    """Read the gauge as a scrape does."""
    return harness.metrics.registry.get_sample_value("thoth_advise_justification_type_number", LABELS)


async def test_counts_add_up_in_the_gauge() -> None:
    """Each message says how often the justification was given since the last one."""
    harness, fields = AgentHarness(), EXAMPLES[BASE_NAME].fields

    assert await harness.handle(BASE_NAME, fields, modes=[Mode.METRICS]) is None
    assert await harness.handle(BASE_NAME, {**fields, "count": 4}, modes=[Mode.METRICS]) is None

    assert count(harness) == 7


async def test_other_modes_leave_the_gauge_alone() -> None:
    """Otherwise a justification would count once for each mode that a deployment runs."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLES[BASE_NAME].fields) is None

    assert count(harness) is None

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from investigator.agent.message import MalformedMessageError
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.advise-reporter.advise-justification"
EXAMPLE = Example(
    BASE_NAME,
    required={"message": "flask is slow", "justification_type": "WARNING", "count": 3, "adviser_version": "0.50.0"},
)
LABELS = {"advise_message": "flask is slow", "justification_type": "WARNING", "thoth_environment": "ocp4-test"}


def gauge(harness: AgentHarness) -> float | None:
    """Return the value of the gauge in a scrape, None if it has none."""
    return harness.metrics.registry.get_sample_value("thoth_advise_justification_type_number", LABELS)


async def test_the_gauge_is_the_sum_of_all_counts() -> None:
    """The count of a message is the number of times since the previous message."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields, modes=[Mode.METRICS]) is None
    assert await harness.handle(BASE_NAME, {**EXAMPLE.fields, "count": 4}, modes=[Mode.METRICS]) is None

    assert gauge(harness) == 7


async def test_only_metrics_mode_changes_the_gauge() -> None:
    """Otherwise a justification would count once for each mode of a deployment."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields, modes=[Mode.MIDDLETIER, Mode.BACKEND]) is None

    assert gauge(harness) is None


@pytest.mark.parametrize("wrong", [-1, 10**9 + 1, 10**30, 1.5, "3", None])
async def test_a_count_that_no_adviser_can_mean_is_refused_by_field(wrong: object) -> None:
    """The sum of the gauge could not be corrected afterwards."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {**EXAMPLE.fields, "count": wrong}, modes=[Mode.METRICS])

    assert failure is not None
    assert isinstance(failure.error, MalformedMessageError)
    assert failure.error.field == "count"
    assert gauge(harness) is None

# SPDX-License-Identifier: GPL-3.0-or-later
"""One message leads to a bounded number of workflows, however many versions it selects."""

import logging

import pytest

from tests.agents.unresolved_flask import BASE_NAME, FLASK, VERSIONS, harness_with_versions, scheduled
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, SOLVERS, AgentHarness


def omitted(harness: AgentHarness) -> float:
    """Return how many versions were counted as omitted."""
    value: float = harness.metrics.omitted_versions.labels(BASE_NAME)._value.get()
    return value


@pytest.mark.parametrize(
    ("version", "limit", "solved"),
    [(None, 2, VERSIONS[:2]), ("*", 1, VERSIONS[:1]), (">=1", 2, ["2.0.2", "2.0.1"]), ("!=2.0.2", 1, ["2.0.1"])],
)
async def test_the_latest_versions_are_solved_and_the_others_announced(
    version: str | None, limit: int, solved: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The operator sees what was left out, in one line and in a metric."""
    harness = harness_with_versions(THOTH_INVESTIGATOR_MAX_VERSIONS=str(limit))

    with caplog.at_level(logging.WARNING):
        assert await harness.handle(BASE_NAME, {**FLASK, "package_version": version}) is None

    assert scheduled(harness) == [(each, solver) for each in solved for solver in SOLVERS]
    (line,) = [record.getMessage() for record in caplog.records if "too many versions" in record.getMessage()]
    assert f"package=flask limit={limit} omitted={int(omitted(harness))} " in line
    assert line.endswith("to=1.1.4")


async def test_all_versions_within_the_limit_are_solved_silently(caplog: pytest.LogCaptureFixture) -> None:
    """A message at the limit is complete."""
    harness = harness_with_versions(THOTH_INVESTIGATOR_MAX_VERSIONS=str(len(VERSIONS)))

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert len(scheduled(harness)) == len(VERSIONS) * len(SOLVERS)
    assert (omitted(harness), caplog.records) == (0, [])


async def test_retries_announce_the_omitted_versions_once() -> None:
    """The metric counts versions, not attempts."""
    harness = harness_with_versions(FaultInjector(fail_at=9), THOTH_INVESTIGATOR_MAX_VERSIONS="2")

    assert await harness.handle(BASE_NAME, FLASK, attempts=2) is None

    assert omitted(harness) == len(VERSIONS) - 2


async def test_five_thousand_versions_cost_no_more_calls_than_the_limit_allows() -> None:
    """One message never holds its slot for hours, nor repeats more than that after a restart."""
    harness = AgentHarness()
    harness.index.listed[PYPI, "flask"] = [f"{number}.0" for number in range(5000, 0, -1)]

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert len(harness.workflows) == 100 * len(SOLVERS)
    assert harness.faults.calls < 100 * (len(SOLVERS) + 4)


async def test_after_a_restart_a_message_repeats_at_most_its_own_requests_and_creates_nothing_twice() -> None:
    """The cluster is the memory: it refuses each workflow that exists. What remains is a bounded number of requests."""
    harness = harness_with_versions(THOTH_INVESTIGATOR_MAX_VERSIONS="3")
    assert await harness.handle(BASE_NAME, FLASK) is None
    created, calls, requests = list(harness.workflows), harness.faults.calls, len(harness.scheduler.requests)

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.workflows == created
    assert len(created) == 3 * len(SOLVERS)
    assert (harness.faults.calls - calls, len(harness.scheduler.requests) - requests) == (calls, requests)

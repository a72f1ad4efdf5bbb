# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe may fail with an error that says nothing about its operation; the other calls wait on, in virtual time."""

import asyncio

import pytest

from tests.support.virtual_time import in_virtual_time
from tests.unit.resilience.dependency import Dependency, ask, opened


@pytest.mark.parametrize("operations", [["create"], ["create", "count"]])
@in_virtual_time
async def test_an_unknown_error_of_a_probe_delays_the_next_probe(operations: list[str]) -> None:
    """It fails one call per probe instead of all calls that wait; in an outage of everything too."""
    dependency = Dependency()
    breaker, first = await opened(dependency)
    waiting = [first, *(ask(breaker, dependency, number, name) for name in operations for number in range(50))]
    await asyncio.sleep(0.02)
    assert {each.operation for each in breaker.view.operations} == {*operations}
    dependency.error_for = lambda _: AssertionError("a defect")
    dependency.calls.clear()
    await asyncio.sleep(62)
    failed = [call.exception() for call in waiting if call.done()]
    assert {type(error) for error in failed} == {AssertionError}
    assert len(dependency.calls) == len(failed) <= 8


@in_virtual_time
async def test_calls_that_wait_follow_the_first_success_after_an_unknown_error() -> None:
    """The schedule of the probes goes on."""
    dependency = Dependency()
    breaker, first = await opened(dependency)
    others = [ask(breaker, dependency, number) for number in range(20)]
    dependency.error_for = lambda _: AssertionError("a defect") if not first.done() else None
    with pytest.raises(AssertionError):
        await first
    assert len(await asyncio.wait_for(asyncio.gather(*others), 5)) == 20

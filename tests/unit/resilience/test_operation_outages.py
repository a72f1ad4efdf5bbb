# SPDX-License-Identifier: GPL-3.0-or-later
"""An outage is judged by what it concerns: an operation, a host, or the whole dependency; in virtual time."""

import asyncio

import pytest

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup, PatienceExhaustedError
from investigator.resilience.breaker_policy import BreakerPolicy
from tests.support.virtual_time import finished_at, in_virtual_time
from tests.unit.resilience.dependency import Dependency, ask

PATIENT = BreakerPolicy(patience=60.0)


def refusing() -> tuple[Dependency, Dependency]:
    """Return a dependency that is unavailable, and one that answers."""
    failing = Dependency()
    failing.error_for = failing.unavailable
    return failing, Dependency()


async def fail(breaker: BreakerGroup, dependency: Dependency, operation: str) -> "list[asyncio.Task[str]]":
    """Open the breaker of the operation; return the calls that wait in it."""
    calls = [ask(breaker, dependency, f"{operation} {number}", operation) for number in range(12)]
    _, waiting = await asyncio.wait(calls, timeout=0.02)
    assert operation in {each.operation for each in breaker.view.operations}
    return list(waiting)


@in_virtual_time
async def test_an_operation_that_succeeds_is_not_delayed_by_one_that_fails() -> None:
    """A webhook that fails for one kind of workflow holds back that kind alone."""
    failing, answering = refusing()
    breaker = BreakerGroup("cluster")
    waiting = await fail(breaker, failing, "create")
    began = asyncio.get_running_loop().time()
    answers = [await ask(breaker, answering, number, "count") for number in range(100)]
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0, abs=0.01)  # 10 ms a call
    assert len(answers) == 100
    assert not any(call.done() for call in waiting)


@in_virtual_time
async def test_the_failure_of_one_operation_among_successes_ends_after_the_patience() -> None:
    """The messages then use attempts, and have the true cause."""
    failing, answering = refusing()
    breaker = BreakerGroup("cluster", PATIENT)
    waiting = await fail(breaker, failing, "create")
    await ask(breaker, answering, "other", "count")
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(end) for end in ends} == {PatienceExhaustedError}
    assert {str(end) for end in ends} == {"connection refused"}
    assert 60 <= asyncio.get_running_loop().time() <= 60 + PATIENT.max_probe_interval + 1


@in_virtual_time
async def test_a_later_message_does_not_wait_the_whole_patience_again() -> None:
    """The age of the outage counts: each of its attempts ends with the next failed probe."""
    failing, answering = refusing()
    breaker = BreakerGroup("cluster", PATIENT)
    waiting = await fail(breaker, failing, "create")
    await ask(breaker, answering, "other", "count")
    await asyncio.wait(waiting)
    began = asyncio.get_running_loop().time()
    for _ in range(5):
        with pytest.raises(PatienceExhaustedError):
            await ask(breaker, failing, "later", "create")
    assert asyncio.get_running_loop().time() - began <= 5 * (PATIENT.max_probe_interval + 0.1)


@in_virtual_time
@pytest.mark.parametrize("operations", [["read"], ["create", "count"], ["create", "count", "read", "process"]])
async def test_messages_wait_without_limit_while_nothing_succeeds(operations: list[str]) -> None:
    """An outage of hours costs no attempt, whatever operations it meets."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster", PATIENT)
    waiting = [call for operation in operations for call in await fail(breaker, failing, operation)]
    failing.calls.clear()
    await asyncio.sleep(10_000)
    assert not any(call.done() for call in waiting)
    assert breaker.view.is_open
    assert len(failing.calls) <= 10_000 / 15 + 10  # one canary for all operations


@in_virtual_time
async def test_an_operation_without_a_failure_is_tried_at_once_in_an_outage_of_others() -> None:
    """Two operations that fail look like an outage of everything; a third one may still be available."""
    failing, answering = refusing()
    breaker = BreakerGroup("cluster")
    await fail(breaker, failing, "create")
    await fail(breaker, failing, "process")
    began = asyncio.get_running_loop().time()
    others = [ask(breaker, answering, number, "count") for number in range(50)]
    assert await finished_at(asyncio.gather(*others)) - began == pytest.approx(0.02, abs=0.001)
    assert not breaker.view.is_open  # the two outages are known to be their own
    assert [each.is_own for each in breaker.view.operations] == [True, True]


@in_virtual_time
async def test_a_new_operation_costs_one_call_in_an_outage_of_everything() -> None:
    """Its other calls wait for that one, and none fails."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster")
    await fail(breaker, failing, "create")
    await fail(breaker, failing, "process")
    failing.calls.clear()
    calls = [ask(breaker, failing, number, "count") for number in range(50)]
    await asyncio.wait(calls, timeout=0.5)
    assert [key for _, key in failing.calls] == [0]
    assert not any(call.done() for call in calls)


@in_virtual_time
async def test_a_success_of_the_canary_lets_every_operation_probe_at_once() -> None:
    """After an outage all work continues within the longest interval between two probes."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster")
    waiting = [call for name in "abcdef" for call in await fail(breaker, failing, name)]
    await asyncio.sleep(600)
    failing.error_for = lambda _: None
    began = asyncio.get_running_loop().time()
    assert await finished_at(asyncio.gather(*waiting)) - began <= 15.1
    assert breaker.view.operations == ()


@in_virtual_time
async def test_the_patience_begins_after_an_outage_of_everything() -> None:
    """A cluster that starts answers some operations before others; that costs no attempt."""
    failing, answering = refusing()
    breaker = BreakerGroup("cluster", PATIENT)
    slow = await fail(breaker, failing, "create")
    quick = await fail(breaker, failing, "count")
    await asyncio.sleep(3600)
    for call in quick:
        call.cancel()
    began = asyncio.get_running_loop().time()
    await ask(breaker, answering, "first", "version")
    await asyncio.sleep(50)
    assert not any(call.done() for call in slow)
    assert await finished_at(asyncio.wait(slow)) - began >= 60


@in_virtual_time
async def test_hosts_say_nothing_about_each_other() -> None:
    """Two dead indexes hold no third one back, and their messages end without any success elsewhere."""
    failing, answering = refusing()
    breaker = BreakerGroup("index", BreakerPolicy(patience=60.0, independent=True))
    dead = await fail(breaker, failing, "ask one") + await fail(breaker, failing, "ask two")
    assert await ask(breaker, answering, "live", "ask three") == "hello live"
    ends = await asyncio.gather(*dead, return_exceptions=True)
    assert {type(end) for end in ends} == {PatienceExhaustedError}
    assert 60 <= asyncio.get_running_loop().time() < 80


@in_virtual_time
async def test_a_500_of_a_lone_message_is_an_outage_if_another_operation_fails_too() -> None:
    """Nothing succeeds, so the error is not the message's own."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster")
    await fail(breaker, failing, "count")
    lone = ask(breaker, Dependency(error_for=lambda _: TemporaryError("500")), "lone", "create")
    await asyncio.sleep(3600)
    assert not lone.done()


@in_virtual_time
async def test_a_permanent_error_is_evidence_for_the_other_operations() -> None:
    """The dependency has judged a message: it is available."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster")
    await fail(breaker, failing, "create")
    with pytest.raises(PermanentError):
        await ask(breaker, Dependency(error_for=lambda _: PermanentError("422")), "bad", "process")
    assert not breaker.view.is_open


@in_virtual_time
async def test_an_answer_to_a_call_from_before_the_outage_is_no_evidence() -> None:
    """Calls in flight may still be answered while the dependency shuts down."""
    failing, _ = refusing()
    breaker = BreakerGroup("cluster", PATIENT)
    early = asyncio.create_task(breaker.call(lambda: asyncio.sleep(1, "late"), operation="count", message_key="early"))
    await asyncio.sleep(0)
    waiting = await fail(breaker, failing, "create")
    assert await early == "late"
    await asyncio.sleep(3600)
    assert not any(call.done() for call in waiting)


@in_virtual_time
async def test_an_operation_that_nothing_needs_is_forgotten() -> None:
    """Its gauge ends, and a new outage of it begins with its own patience."""
    failing, _ = refusing()
    breaker = BreakerGroup("index", BreakerPolicy(independent=True, max_operations=3))
    for number in range(9):
        for call in await fail(breaker, failing, f"ask {number}"):
            call.cancel()
        await asyncio.sleep(1)
    assert [each.operation for each in breaker.view.operations] == ["ask 6", "ask 7", "ask 8"]
    await asyncio.sleep(300)
    assert breaker.view.operations == ()


@in_virtual_time
async def test_an_unavailable_host_stays_known_while_calls_wait_for_it() -> None:
    """Only what nothing needs is forgotten."""
    breaker = BreakerGroup("cluster")
    failing = Dependency(error_for=lambda _: UnavailableError("503", delay=60.0))
    await fail(breaker, failing, "create")
    await asyncio.sleep(10_000)
    assert [each.waiting for each in breaker.view.operations] == [3]

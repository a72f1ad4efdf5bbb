# SPDX-License-Identifier: GPL-3.0-or-later
"""One message in an outage: its quick retries are exhausted, and it waits instead of using up its attempts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import pytest

from investigator.delivery.current_message import bind_message
from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.calls import Calls
from investigator.resilience.dependency_state import DependencyState
from investigator.resilience.quick_retries import CallPolicy

CALLS = CallPolicy(threads=2, retry_budget=5.0, max_attempts=3, initial_backoff=0.001)
BREAKERS = BreakerPolicy(initial_probe_interval=0.02, patience=0.1)


@pytest.fixture
def breaker() -> BreakerGroup:
    """A group without any outage, which probes often."""
    return BreakerGroup("test", BREAKERS)


@pytest.fixture
def calls(breaker: BreakerGroup) -> Iterator[Calls]:
    """Calls that make two quick retries; errors are mapped already."""
    with closing(Calls(breaker, CALLS, lambda error: error)) as calls:
        yield calls


class Scripted:
    """A call that raises the next error of its script at each attempt, then succeeds; counts the attempts."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts = 0

    def __call__(self) -> int:
        """Raise the next error, or return the number of attempts."""
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.attempts


async def test_a_lone_message_waits_for_the_end_of_an_outage(calls: Calls) -> None:
    """However long it lasts: the message uses no attempt."""
    assert await calls.run(Scripted(*[UnavailableError("503")] * 8), operation="create") == 9


async def test_an_error_that_may_be_the_messages_own_opens_nothing(calls: Calls, breaker: BreakerGroup) -> None:
    """A plain 500 of one message uses the quick retries, then an attempt."""
    call = Scripted(*[TemporaryError("500")] * 8)
    with pytest.raises(TemporaryError):
        await calls.run(call, operation="create")
    assert call.attempts == CALLS.max_attempts
    assert breaker.view.operations == ()


async def test_the_failures_that_opened_the_breaker_use_up_no_quick_retry(calls: Calls) -> None:
    """After the wait the call has all its quick retries again."""
    first, second = (Scripted(*[UnavailableError("503")] * CALLS.max_attempts) for _ in range(2))
    waiting = [asyncio.create_task(calls.run(call, operation="create")) for call in (first, second)]
    await asyncio.sleep(0.015)
    for call in (first, second):
        call.errors.extend([TemporaryError("500")] * (CALLS.max_attempts - 1))
    first.errors.clear()  # its probe succeeds and releases the other one
    assert await waiting[1] >= 2 * CALLS.max_attempts - 1
    await waiting[0]


async def test_a_call_that_waits_holds_its_message_back(calls: Calls) -> None:
    """The dispatcher learns what it waits for, and accepts other messages of the topic meanwhile."""
    reasons = []

    @asynccontextmanager
    async def held_back(what: str) -> AsyncIterator[None]:
        reasons.append(what)
        yield

    with bind_message("message", while_held_back=held_back):
        await calls.run(Scripted(*[UnavailableError("503")] * 5), operation="create")
    assert reasons == ["the test, which is unavailable (create)"]


async def test_a_message_knows_of_each_call_under_way_that_of_a_probe_too(calls: Calls) -> None:
    """A decision of an operator waits for its end."""
    scripted = Scripted(*[UnavailableError("503")] * 5)
    under_way = list[bool]()

    @contextmanager
    def calling() -> Iterator[None]:
        under_way.append(True)
        try:
            yield
        finally:
            under_way[-1] = False

    def call() -> int:
        assert under_way[-1]
        return scripted()

    with bind_message("message", while_calling=calling):
        await calls.run(call, operation="create")
    assert under_way == [False] * 6


async def test_the_error_after_the_patience_is_the_last_failure(breaker: BreakerGroup, calls: Calls) -> None:
    """With its cause and without another quick retry: the message's attempt has failed."""

    async def elsewhere() -> None:
        while True:
            await calls.run(Scripted(), operation="count")
            await asyncio.sleep(0.01)

    others = asyncio.create_task(elsewhere())
    with pytest.raises(UnavailableError, match="webhook"):
        await calls.run(Scripted(*[UnavailableError("webhook")] * 1000), operation="create")
    others.cancel()
    assert [(each.operation, each.is_own) for each in breaker.view.operations] == [("create", True)]


def test_a_message_that_fails_while_others_succeed_in_its_operation_is_no_outage() -> None:
    """Even if its error looks like one: a workflow whose creation always times out."""
    state = DependencyState(BreakerPolicy())
    state.record_failure("create", 1.0, "bad", UnavailableError("timeout"))
    state.record_success("create", 2.0, 1.5)
    state.record_failure("create", 3.0, "bad", UnavailableError("timeout"))
    assert not state.open("create", 3.0, UnavailableError("timeout"), since=1.0)
    assert not state.is_open("create")

# SPDX-License-Identifier: GPL-3.0-or-later
"""When a breaker opens and when it does not; in virtual time."""

import asyncio

import pytest

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker import Breaker, BreakerPolicy, BreakerState
from tests.support.virtual_time import in_virtual_time
from tests.unit.resilience.dependency import Dependency, ask, opened

POLICY = BreakerPolicy()


def failing(count: int, error: TemporaryError, messages: int = 1) -> BreakerState:
    """Give the state after that many failures in a row, one a second, of so many messages."""
    state = BreakerState(POLICY)
    for number in range(count):
        state.failed(float(number), f"message {number % messages}", error)
    return state


def test_ten_lost_connections_of_one_message_are_an_outage() -> None:
    """Ten failures in a row of the kind that concerns everybody open the breaker, even if only one message is about."""
    assert not failing(9, UnavailableError("reset")).is_open
    assert failing(10, UnavailableError("reset")).is_open


def test_ten_answers_500_for_one_message_are_that_messages_own_trouble() -> None:
    """A message that makes the other side fail is left to its own policy however often it is tried."""
    assert not failing(1000, TemporaryError("500")).is_open


def test_ten_answers_500_for_three_messages_are_an_outage() -> None:
    """Failures of any temporary kind count as an outage once three messages in a row meet nothing else."""
    assert not failing(10, TemporaryError("500"), messages=2).is_open
    assert failing(10, TemporaryError("500"), messages=3).is_open


def test_one_success_starts_the_count_anew() -> None:
    """Failures with any success in between are no outage."""
    state = BreakerState(POLICY)
    for number in range(100):
        state.failed(0.0, number, UnavailableError("reset"))
        if number % 9 == 8:
            state.succeeded()
        assert not state.is_open


def test_the_policy_has_these_values() -> None:
    """The defaults are chosen with the reasons that stand beside them; whoever changes one is to know it."""
    assert BreakerPolicy(10, 3, 1.0, 15.0, 60.0) == POLICY


def test_a_very_long_retry_after_is_not_obeyed() -> None:
    """A server that asks for a day is asked again within the policy's bound."""
    state = failing(10, UnavailableError("503", delay=86_400.0))
    assert state.probe_at == 9 + POLICY.max_delay


@in_virtual_time
async def test_calls_go_straight_through_while_all_is_well() -> None:
    """A closed breaker adds no waiting and takes no turns."""
    dependency = Dependency()
    breaker = Breaker("cluster")
    answers = await asyncio.gather(*(ask(breaker, dependency, number) for number in range(100)))
    assert answers[99] == "hello 99"
    assert asyncio.get_running_loop().time() == pytest.approx(0.01)


@in_virtual_time
async def test_a_lone_500_is_raised_and_opens_nothing() -> None:
    """What is no outage is the caller's to see at once."""
    dependency = Dependency(trouble=lambda message_key: TemporaryError("500") if message_key == "bad" else None)
    breaker = Breaker("cluster")
    with pytest.raises(TemporaryError):
        await ask(breaker, dependency, "bad")
    assert not breaker.view.is_open
    assert await ask(breaker, dependency, "good") == "hello good"


@in_virtual_time
async def test_one_message_that_always_fails_among_others_never_opens_it() -> None:
    """A poisoned message does not slow down the others, even if its failures look like an outage."""
    dependency = Dependency(trouble=lambda message_key: UnavailableError("timeout") if message_key == "bad" else None)
    breaker = Breaker("cluster")
    for _ in range(50):
        with pytest.raises(UnavailableError):
            await ask(breaker, dependency, "bad")
        await ask(breaker, dependency, "good")
    assert not breaker.view.is_open


@in_virtual_time
async def test_the_view_says_what_an_operator_wants_to_know() -> None:
    """State, since when, how many wait, the next probe and the last error can be shown on a page."""
    breaker, _ = await opened(Dependency())
    view = breaker.view
    assert (view.name, view.is_open, view.failures, view.error) == ("cluster", True, 10, "connection refused")
    assert view.since == pytest.approx(0.01)
    assert view.next_probe == pytest.approx(1.01)

# SPDX-License-Identifier: GPL-3.0-or-later
"""When a breaker opens; in virtual time."""

import asyncio

import pytest

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.dependency_state import DependencyState
from tests.support.virtual_time import in_virtual_time
from tests.unit.resilience.dependency import Dependency, ask, opened

POLICY = BreakerPolicy()


def failing(count: int, error: TemporaryError, messages: int = 1) -> DependencyState:
    """Return the state after ``count`` failures in a row, one a second, spread over ``messages`` messages."""
    state = DependencyState(POLICY)
    for number in range(count):
        state.record_failure("create", float(number), f"message {number % messages}", error)
    return state


def test_ten_lost_connections_of_one_message_are_an_outage() -> None:
    """Ten UnavailableErrors in a row open the breaker, even if there is only one message."""
    assert not failing(9, UnavailableError("reset")).is_open("create")
    assert failing(10, UnavailableError("reset")).is_open("create")


def test_any_number_of_500s_for_one_message_is_no_outage() -> None:
    """A message may itself cause the errors of the server; its retry policy decides."""
    assert not failing(1000, TemporaryError("500")).is_open("create")


def test_ten_500s_for_three_messages_are_an_outage() -> None:
    """Temporary errors of any kind count as an outage once three messages have met nothing else."""
    assert not failing(10, TemporaryError("500"), messages=2).is_open("create")
    assert failing(10, TemporaryError("500"), messages=3).is_open("create")


def test_one_success_resets_the_count() -> None:
    """Failures with a success in between are no outage."""
    state = DependencyState(POLICY)
    for number in range(100):
        state.record_failure("create", 0.0, number, UnavailableError("reset"))
        if number % 9 == 8:
            state.record_success("create", 0.0, 0.0)
        assert not state.is_open("create")


def test_the_policy_has_these_defaults() -> None:
    """Each has a reason in the policy's docstring; a change must be deliberate."""
    assert (
        BreakerPolicy(10, 3, 1.0, 15.0, 60.0, 120.0, independent=False, max_operations=100, forget_after=300.0)
        == POLICY
    )


def test_a_very_long_retry_after_is_not_obeyed() -> None:
    """The next probe is within the policy's bound, even if the server asks for a pause of a day."""
    state = failing(10, UnavailableError("503", delay=86_400.0))
    assert state.operations["create"].probes.at == 9 + POLICY.max_delay


@in_virtual_time
async def test_a_closed_breaker_delays_no_call() -> None:
    """A hundred calls run concurrently."""
    dependency = Dependency()
    breaker = BreakerGroup("cluster")
    answers = await asyncio.gather(*(ask(breaker, dependency, number) for number in range(100)))
    assert answers[99] == "hello 99"
    assert asyncio.get_running_loop().time() == pytest.approx(0.01)


@in_virtual_time
async def test_a_lone_500_is_raised_and_opens_nothing() -> None:
    """An error that is no outage reaches the caller at once."""
    dependency = Dependency(error_for=lambda message_key: TemporaryError("500") if message_key == "bad" else None)
    breaker = BreakerGroup("cluster")
    with pytest.raises(TemporaryError):
        await ask(breaker, dependency, "bad")
    assert not breaker.view.is_open
    assert await ask(breaker, dependency, "good") == "hello good"


@in_virtual_time
async def test_one_message_that_always_fails_among_others_never_opens_it() -> None:
    """A poison message does not delay the others, even if its errors look like an outage."""
    dependency = Dependency(error_for=lambda message_key: UnavailableError("timeout") if message_key == "bad" else None)
    breaker = BreakerGroup("cluster")
    for _ in range(50):
        with pytest.raises(UnavailableError):
            await ask(breaker, dependency, "bad")
        await ask(breaker, dependency, "good")
    assert not breaker.view.is_open


@in_virtual_time
async def test_the_view_of_an_open_breaker_has_its_time_probe_and_error() -> None:
    """The status page shows them."""
    breaker, _ = await opened(Dependency())
    view = breaker.view
    assert (view.name, view.is_open, view.failures, view.error) == ("cluster", True, 10, "connection refused")
    assert view.since == pytest.approx(0.01)
    assert view.next_probe == pytest.approx(1.01)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps a delivery has, in which order."""

import pytest
from prometheus_client import CollectorRegistry

from investigator.agent import Message, MessageType, Mode, Work
from investigator.agent.context import Services
from investigator.delivery.dead_letters import REPLAYED_FOR, Headers
from investigator.delivery.errors import PermanentError
from investigator.delivery.origin import Origin
from investigator.delivery.policy import RetryPolicy
from investigator.delivery.retry import Failure, run_with_retries
from investigator.observability.metrics import Metrics
from investigator.observability.redaction import Redactor
from investigator.settings import load_settings
from investigator.streaming.handler_steps import Handlers, HandlerSteps
from investigator.streaming.parser import Parser
from tests.support.agent_fakes import FakeGraph, FakeIndex, FakeScheduler, FaultInjector
from tests.support.agent_harness import ENVIRONMENT
from tests.support.virtual_time import in_virtual_time

GROUP = "investigator"


class Sample(Message, serializer="json"):
    """A message without fields of its own."""


VALUE = b'{"component_name": "tester", "service_version": "1.0.0"}'


class Processing:
    """Runs the steps of one message whose handlers record which of them ran; the first of them fails once."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.handled: list[str] = []
        self.origins: set[Origin] = set()
        self.failures = 0
        self.message_type = MessageType(
            "thoth.test-message",
            Sample,
            ("v1",),
            {Mode.BACKEND: self.handle_in_backend, Mode.MIDDLETIER: self.handle_in_middletier},
        )

    async def handle_in_backend(self, _record: Message, work: Work) -> None:
        """Fail as often as the test says, then succeed."""
        self.handled.append("backend")
        self.origins.add(work.origin)
        if self.failures:
            self.failures -= 1
            raise ValueError("trouble")

    async def handle_in_middletier(self, _record: Message, work: Work) -> None:
        """Succeed."""
        self.handled.append("middletier")
        self.origins.add(work.origin)

    async def run(self, *modes: Mode, value: bytes = VALUE, headers: Headers = ()) -> Failure | None:
        """Run the steps of a message with up to five attempts."""
        handlers = Handlers(GROUP, modes, self.services, Parser(Redactor().learn_from))
        steps = HandlerSteps(handlers, self.message_type, value, Origin("thoth.test-message", 0, 7, 0), headers).make()
        policy = RetryPolicy(max_attempts=5, backoff=0)
        return await run_with_retries(
            list(steps), policy, sleep=_no_pause, on_failed_attempt=lambda _error, _attempts: None
        )

    def services(self) -> Services:
        """Return services with fakes; the handlers here call none of them."""
        faults = FaultInjector()
        fakes = (FakeScheduler(faults, []), FakeGraph(faults), FakeIndex(faults))
        return Services(load_settings(ENVIRONMENT), *fakes, self.metrics)

    def counted(self) -> object:
        """Return how many messages metrics mode counted."""
        return self.metrics.message_count_by_version.labels("test_message", "v1")._value.get()


async def _no_pause(_seconds: float) -> None:
    pass


@in_virtual_time
async def test_handlers_run_in_the_order_of_the_modes_of_the_worker() -> None:
    """The message has one step for each mode that is on and has a handler."""
    for modes, expected in (
        ((Mode.BACKEND, Mode.MIDDLETIER), ["backend", "middletier"]),
        ((Mode.MIDDLETIER, Mode.BACKEND), ["middletier", "backend"]),
        ((Mode.BACKEND,), ["backend"]),
    ):
        processing = Processing()
        assert await processing.run(*modes) is None
        assert processing.handled == expected
        assert processing.origins == {Origin("thoth.test-message", 0, 7, 0)}
        assert processing.counted() == 0


@in_virtual_time
async def test_a_message_is_counted_once_however_often_its_handlers_fail() -> None:
    """Metrics mode counts messages, not attempts; the handlers of the other modes run beside it."""
    processing = Processing()
    processing.failures = 3
    assert await processing.run(Mode.METRICS, Mode.BACKEND) is None
    assert processing.handled == ["backend"] * 4
    assert processing.counted() == 1


@in_virtual_time
async def test_a_message_that_is_no_record_fails_without_a_retry() -> None:
    """No handler runs; the failure is the error of the first step."""
    processing = Processing()
    failure = await processing.run(Mode.METRICS, Mode.BACKEND, value=b"no JSON")
    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert failure.attempts == 1
    assert (processing.handled, processing.counted()) == ([], 0)


@in_virtual_time
async def test_a_message_of_an_unknown_version_is_counted_as_missing_a_handler() -> None:
    """An operator sees which versions no worker can handle."""
    processing = Processing()
    failure = await processing.run(Mode.BACKEND, value=VALUE.replace(b"}", b', "version": "v9"}'))
    assert failure is not None
    assert processing.metrics.missing_handler.labels("thoth.test-message", "v9")._value.get() == 1
    assert processing.metrics.unknown_versions.labels("thoth.test-message", "v9")._value.get() == 1


@in_virtual_time
async def test_a_worker_that_only_counts_counts_an_unknown_version_too() -> None:
    """The count shows the new version, and the worker has no handler that could lack it."""
    processing = Processing()
    value = VALUE.replace(b"}", b', "version": "v9"}')
    assert await processing.run(Mode.METRICS, value=value) is None
    assert processing.metrics.message_count_by_version.labels("test_message", "v9")._value.get() == 1
    assert await processing.run(Mode.METRICS, Mode.BACKEND, value=value) is not None


@pytest.mark.parametrize(("group", "handled"), [(GROUP, ["backend"]), ("other", [])])
def test_a_replay_is_handled_by_the_group_that_it_is_addressed_to(group: str, handled: list[str]) -> None:
    """The other groups handled the original message."""

    @in_virtual_time
    async def scenario() -> None:
        processing = Processing()
        assert await processing.run(Mode.BACKEND, headers=((REPLAYED_FOR, group.encode()),)) is None
        assert processing.handled == handled

    scenario()

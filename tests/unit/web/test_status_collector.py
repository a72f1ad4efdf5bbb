# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import asdict, dataclass, field

from investigator.delivery.current_message import current_context
from investigator.delivery.errors import PermanentError, UnavailableError
from investigator.delivery.halts import FailedMessage
from investigator.delivery.ledger import Partition
from investigator.delivery.retry import Step
from investigator.observability.redaction import Redactor
from investigator.resilience.breaker import BreakerPolicy
from investigator.web.status_model import (
    DependencyStatus,
    FailedMessageStatus,
    NamespaceStatus,
    PartitionStatus,
    Status,
    TopicStatus,
)
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, HandlerScript, message
from tests.support.delivery_worker import run_until
from tests.support.virtual_time import in_virtual_time
from tests.unit.web.status_fixture import TOPICS, StatusFixture


def _topic(status: Status, topic: str = TOPIC) -> TopicStatus:
    return next(each for each in status.topics if each.topic == topic)


@in_virtual_time
async def test_an_idle_worker_shows_its_identity_and_every_topic() -> None:
    """Topics without messages are shown too."""
    fixture = StatusFixture()
    await run_until(5)
    status = fixture.status()
    assert (status.version, status.worker, status.group) == ("1.2.3", "pod/1", "investigator")
    assert status.modes == ("middletier", "backend")
    assert round(status.uptime_seconds) == 105
    assert status.halts_synced
    assert (status.halted_topics, status.oldest_messages, status.in_flight) == ((), (), 0)
    assert [each.topic for each in status.topics] == sorted(TOPICS)
    assert not [each for each in status.dependencies if each.is_unavailable]


@in_virtual_time
async def test_a_halted_topic_is_shown_with_its_failed_message() -> None:
    """With the time, the worker or operator, the position, the number of attempts and the error."""
    fixture = StatusFixture()
    fixture.worker.receive(HandlerScript(), HandlerScript(failures=99, error=lambda: PermanentError("no such package")))
    await run_until(10)
    [halt] = fixture.status().halted_topics
    assert (halt.topic, halt.by) == (TOPIC, "worker")
    assert round(halt.since) == 1
    assert round(halt.halted_seconds) == 9
    assert halt.failed_messages == (FailedMessageStatus(0, 1, 1, "PermanentError: no such package"),)
    assert _topic(fixture.status()).halted
    assert not _topic(fixture.status(), OTHER_TOPIC).halted


@in_virtual_time
async def test_only_the_first_failed_messages_are_shown_and_the_rest_are_counted() -> None:
    """A page with a thousand errors does not help an operator."""
    fixture = StatusFixture()
    for offset in range(25):
        fixture.worker.halt_coordinator.halt(TOPIC, cause=FailedMessage(0, offset, 0, "bad", 5))
    [halt] = fixture.status().halted_topics
    assert [failed.offset for failed in halt.failed_messages] == list(range(20))
    assert halt.more_failed_messages == 5


@in_virtual_time
async def test_a_halt_of_a_topic_of_another_mode_is_shown_too() -> None:
    """Any worker of the group shows every halt of the group."""
    fixture = StatusFixture(topics={OTHER_TOPIC: TOPICS[OTHER_TOPIC]})
    fixture.worker.halt_coordinator.halt(TOPIC, by="operator")
    await run_until(1)
    assert [halt.topic for halt in fixture.status().halted_topics] == [TOPIC]


@in_virtual_time
async def test_each_message_in_flight_is_processing_or_shows_what_it_waits_for() -> None:
    """The oldest message comes first."""
    fixture = StatusFixture()
    fixture.worker.receive(
        HandlerScript(seconds=1, failures=1),
        *[HandlerScript(seconds=30) for _ in range(4)],
        keys=[None, None, None, None, None],
    )
    await run_until(1.5)
    status = fixture.status()
    assert [(each.offset, each.waiting_for) for each in status.oldest_messages] == [
        (0, "its next attempt"),
        *[(offset, None) for offset in (1, 2, 3, 4)],
    ]
    assert (status.oldest_messages[0].failed_attempts, status.oldest_messages[0].last_error) == (
        1,
        "ValueError: trouble",
    )
    topic = _topic(status)
    assert (topic.in_flight, topic.processing, topic.waiting_for) == (5, 4, {"its next attempt": 1})
    assert round(topic.oldest_in_flight_seconds or 0, 1) == 1.5


@in_virtual_time
async def test_a_message_that_waits_inside_a_call_shows_what_it_waits_for() -> None:
    """An operator has to see whether a message waits for a permit or for an unavailable dependency."""

    async def wait() -> None:
        async with current_context().while_waiting("a permit in thoth-backend"):
            await _never()

    fixture = StatusFixture()
    fixture.worker.submit([message(0, _Doing(step=wait))])
    await run_until(1)
    [shown] = fixture.status().oldest_messages
    assert shown.waiting_for == "a permit in thoth-backend"


@in_virtual_time
async def test_an_unavailable_dependency_is_shown_with_its_next_probe() -> None:
    """With the error, the duration and the number of waiting calls."""
    fixture = StatusFixture()
    cluster = fixture.breakers[0]
    cluster._breaker._state.policy = BreakerPolicy(failures=1, initial_probe_interval=4)

    async def refused() -> None:
        raise UnavailableError("connection refused")

    fixture.worker.submit(
        [message(0, _Doing(step=lambda: cluster.call(refused, operation="create", message_key="a message")))]
    )
    await run_until(3)
    status = fixture.status()
    unavailable, available = status.dependencies
    assert unavailable == DependencyStatus(
        "cluster",
        is_unavailable=True,
        unavailable_seconds=unavailable.unavailable_seconds,
        next_probe_seconds=unavailable.next_probe_seconds,
        consecutive_failures=1,
        waiting_calls=1,
        last_error="connection refused",
    )
    assert round(unavailable.unavailable_seconds or 0) == 3
    assert round(unavailable.next_probe_seconds or 0) == 1
    assert (available.name, available.is_unavailable, available.last_error) == ("graph", False, None)


@in_virtual_time
async def test_counts_partitions_and_limits_are_those_of_the_metrics() -> None:
    """The page and a dashboard never disagree."""
    fixture = StatusFixture()
    metrics = fixture.metrics
    metrics.processed.labels("adviser_trigger").inc(7)
    metrics.exceptions.labels("adviser_trigger").inc(3)
    metrics.failures.labels("adviser_trigger").inc(2)
    metrics.dead_letters.labels("adviser_trigger").inc()
    metrics.pending_workflow_limit.labels(namespace="thoth-backend").set(50)
    metrics.pending_workflows.labels(namespace="thoth-backend").set(12)
    metrics.current_partition_offsets.labels(TOPICS[TOPIC], "1").set(99)
    fixture.worker.dispatcher.assign([Partition(TOPICS[TOPIC], 0), Partition(TOPICS[TOPIC], 1)])
    status = fixture.status()
    topic = _topic(status)
    assert (topic.processed, topic.failed_attempts, topic.failed, topic.dead_letters) == (7, 3, 2, 1)
    assert topic.partitions == (PartitionStatus(0, None, None), PartitionStatus(1, 99, None))
    assert status.namespaces == (NamespaceStatus("thoth-backend", 12, 50),)
    assert _topic(status, OTHER_TOPIC).processed == 0


@in_virtual_time
async def test_no_password_is_shown() -> None:
    """Errors may quote the parameters of a call, and so may the halts of other workers."""
    redactor = Redactor(["hunter2"])
    fixture = StatusFixture(redact=redactor)
    fixture.worker.receive(HandlerScript(failures=99, error=lambda: PermanentError("login with hunter2 refused")))
    await run_until(5)
    assert "hunter2" not in json.dumps(asdict(fixture.status()))
    assert "login with ***" in fixture.status().halted_topics[0].failed_messages[0].error


@in_virtual_time
async def test_the_status_can_be_written_as_json() -> None:
    """Also while messages are in flight, retried and failed."""
    fixture = StatusFixture()
    fixture.worker.receive(
        HandlerScript(failures=2), *[HandlerScript(seconds=9) for _ in range(9)], HandlerScript(failures=99)
    )
    await run_until(1.5)
    assert json.loads(json.dumps(asdict(fixture.status())))["in_flight"] == 10


@dataclass
class _Doing(HandlerScript):
    """An act with one step that the test provides."""

    step: Step = field(kw_only=True)

    def steps(self) -> list[Step]:
        """Return the step."""
        return [self.step]


async def _never() -> None:
    await run_until(1e9)

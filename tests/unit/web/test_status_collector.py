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
from tests.unit.web.status_fixture import TOPICS, Scene


def _topic(status: Status, topic: str = TOPIC) -> TopicStatus:
    return next(each for each in status.topics if each.topic == topic)


@in_virtual_time
async def test_a_worker_at_rest_says_who_it_is_and_that_all_is_well() -> None:
    """The first line of the page, and that no topic is left out for having had nothing to do."""
    scene = Scene()
    await run_until(5)
    status = scene.status()
    assert (status.version, status.worker, status.group) == ("1.2.3", "pod/1", "investigator")
    assert status.modes == ("middletier", "backend")
    assert round(status.uptime_seconds) == 105
    assert status.halts_known
    assert (status.halted, status.messages, status.in_flight) == ((), (), 0)
    assert [each.topic for each in status.topics] == sorted(TOPICS)
    assert not [each for each in status.dependencies if each.is_unavailable]


@in_virtual_time
async def test_a_halted_topic_is_told_with_its_cause() -> None:
    """Since when, by whom, over which message, after how many attempts, and with which error."""
    scene = Scene()
    scene.worker.receive(HandlerScript(), HandlerScript(failures=99, error=lambda: PermanentError("no such package")))
    await run_until(10)
    [halt] = scene.status().halted
    assert (halt.topic, halt.by) == (TOPIC, "worker")
    assert round(halt.since) == 1
    assert round(halt.seconds) == 9
    assert halt.causes == (FailedMessageStatus(0, 1, 1, "PermanentError: no such package"),)
    assert _topic(scene.status()).halted
    assert not _topic(scene.status(), OTHER_TOPIC).halted


@in_virtual_time
async def test_many_causes_are_counted_and_the_first_are_told() -> None:
    """A page with a thousand errors helps nobody."""
    scene = Scene()
    for offset in range(25):
        scene.worker.halt_coordinator.halt(TOPIC, cause=FailedMessage(0, offset, 0, "bad", 5))
    [halt] = scene.status().halted
    assert [cause.offset for cause in halt.causes] == list(range(20))
    assert halt.more_causes == 5


@in_virtual_time
async def test_a_halt_of_a_topic_that_others_consume_is_told_too() -> None:
    """Whoever looks at any worker of the group sees every halt of it."""
    scene = Scene(topics={OTHER_TOPIC: TOPICS[OTHER_TOPIC]})
    scene.worker.halt_coordinator.halt(TOPIC, by="operator")
    await run_until(1)
    assert [halt.topic for halt in scene.status().halted] == [TOPIC]


@in_virtual_time
async def test_each_message_in_hand_says_what_it_waits_for() -> None:
    """Oldest first: worked on, waiting for its next attempt, or for a slot."""
    scene = Scene()
    scene.worker.receive(
        HandlerScript(seconds=1, failures=1),
        *[HandlerScript(seconds=30) for _ in range(4)],
        keys=[None, None, None, None, None],
    )
    await run_until(1.5)
    status = scene.status()
    assert [(each.offset, each.state) for each in status.messages] == [
        (0, "its next attempt"),
        *[(offset, "worked on") for offset in (1, 2, 3, 4)],
    ]
    assert (status.messages[0].attempts, status.messages[0].error) == (1, "ValueError: trouble")
    topic = _topic(status)
    assert (topic.in_flight, topic.processing, topic.waiting_for) == (5, 4, {"its next attempt": 1})
    assert round(topic.oldest_seconds or 0, 1) == 1.5


@in_virtual_time
async def test_a_message_that_waits_inside_of_a_call_says_for_what() -> None:
    """A place in a namespace and a dependency that is down look alike to the engine, not to an operator."""

    async def wait() -> None:
        async with current_context().while_waiting("a place in thoth-backend"):
            await _never()

    scene = Scene()
    scene.worker.submit([message(0, _Doing(step=wait))])
    await run_until(1)
    [told] = scene.status().messages
    assert told.state == "a place in thoth-backend"


@in_virtual_time
async def test_a_dependency_that_is_down_is_told_with_its_next_probe() -> None:
    """What is the matter, for how long, how much waits for it, and when it is looked at again."""
    scene = Scene()
    cluster = scene.breakers[0]
    cluster._state.policy = BreakerPolicy(failures=1, initial_probe_interval=4)

    async def refused() -> None:
        raise UnavailableError("connection refused")

    scene.worker.submit([message(0, _Doing(step=lambda: cluster.call(refused, message_key="a message")))])
    await run_until(3)
    status = scene.status()
    down, fine = status.dependencies
    assert down == DependencyStatus(
        "cluster",
        is_unavailable=True,
        unavailable_seconds=down.unavailable_seconds,
        next_probe_seconds=down.next_probe_seconds,
        failures=1,
        waiting_calls=1,
        error="connection refused",
    )
    assert round(down.unavailable_seconds or 0) == 3
    assert round(down.next_probe_seconds or 0) == 1
    assert (fine.name, fine.is_unavailable, fine.error) == ("graph", False, None)


@in_virtual_time
async def test_counts_partitions_and_limits_are_told() -> None:
    """What the metrics say, where an operator looks for it."""
    scene = Scene()
    metrics = scene.metrics
    metrics.processed.labels("adviser_trigger").inc(7)
    metrics.exceptions.labels("adviser_trigger").inc(3)
    metrics.failures.labels("adviser_trigger").inc(2)
    metrics.dead_letters.labels("adviser_trigger").inc()
    metrics.pending_workflow_limit.labels(namespace="thoth-backend").set(50)
    metrics.pending_workflows.labels(namespace="thoth-backend").set(12)
    metrics.current_partition_offsets.labels(TOPICS[TOPIC], "1").set(99)
    scene.worker.dispatcher.assign([Partition(TOPICS[TOPIC], 0), Partition(TOPICS[TOPIC], 1)])
    status = scene.status()
    topic = _topic(status)
    assert (topic.processed, topic.failed_attempts, topic.failed, topic.dead_letters) == (7, 3, 2, 1)
    assert topic.partitions == (PartitionStatus(0, None, None), PartitionStatus(1, 99, None))
    assert status.namespaces == (NamespaceStatus("thoth-backend", 12, 50),)
    assert _topic(status, OTHER_TOPIC).processed == 0


@in_virtual_time
async def test_no_password_is_told() -> None:
    """Errors quote what calls were given; a halt may come from a worker that knew the password while we do not yet."""
    redactor = Redactor(["hunter2"])
    scene = Scene(redact=redactor)
    scene.worker.receive(HandlerScript(failures=99, error=lambda: PermanentError("login with hunter2 refused")))
    await run_until(5)
    assert "hunter2" not in json.dumps(asdict(scene.status()))
    assert "login with ***" in scene.status().halted[0].causes[0].error


@in_virtual_time
async def test_the_status_can_be_told_as_json() -> None:
    """Also while much is going on."""
    scene = Scene()
    scene.worker.receive(
        HandlerScript(failures=2), *[HandlerScript(seconds=9) for _ in range(9)], HandlerScript(failures=99)
    )
    await run_until(1.5)
    assert json.loads(json.dumps(asdict(scene.status())))["in_flight"] == 10


@dataclass
class _Doing(HandlerScript):
    """A script whose one step the test brings along."""

    step: Step = field(kw_only=True)

    def steps(self) -> list[Step]:
        """Give the step."""
        return [self.step]


async def _never() -> None:
    await run_until(1e9)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every access to a private attribute of aiokafka, one named function each, and the versions they are tested with.

Names that are private in aiokafka or Faust may change in any release. They are used only here, in
`investigator.kafka.patches` and in `investigator.streaming`. `tests/unit/kafka/test_internals.py` checks that each one
exists as it is used. A worker refuses to start on a version outside TESTED_VERSIONS. This module imports neither
library, so that the refusal comes before any import that such a version might break.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet

from investigator.errors import StartupError

if TYPE_CHECKING:
    import asyncio

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.structs import OffsetAndMetadata

#: Libraries with private names in use -> the versions with which the tests pass; the bounds of pyproject.toml.
TESTED_VERSIONS: Mapping[str, str] = {
    "aiokafka": ">=0.13,<0.15",
    "faust-streaming": ">=0.15.3,<0.16",
    "mode-streaming": ">=0.7.1,<0.8",
}


_EARLIEST = -2  # OffsetResetStrategy.EARLIEST, the number of Kafka's protocol


def refuse_untested_versions() -> None:
    """Check that the installed libraries are of tested versions.

    Raises:
        StartupError: naming the installed and the tested versions, and the remedy.
    """
    installed = {name: version(name) for name in TESTED_VERSIONS}
    untested = [
        f"{name} {installed[name]} is installed, but only versions {tested} are tested"
        for name, tested in TESTED_VERSIONS.items()
        if not SpecifierSet(tested).contains(installed[name], prereleases=True)
    ]
    if untested:
        raise StartupError(
            f"The worker can't start, because it depends on internals of these libraries: {'; '.join(untested)}. "
            "Install the versions that requirements.txt pins: pip install -r requirements.txt"
        )


def configure_consumer(consumer: "AIOKafkaConsumer", *, assignor: object, fetch_max_wait_ms: int) -> None:
    """Set what Faust has no setting for; of use before the consumer is started.

    Faust passes `fetch_max_wait_ms=1500`, `read_committed` for transactions of its own only, and one of two assignors.
    Without `read_committed`, messages of aborted transactions would be handled. That a user can't choose the assignor
    is known as https://github.com/faust-streaming/faust/issues/511.

    Args:
        consumer: a consumer that Faust has made.
        assignor: shares out the partitions, as aiokafka's assignors do.
        fetch_max_wait_ms: how long a broker may hold a fetch request that finds no messages.
    """
    consumer._fetch_max_wait_ms = fetch_max_wait_ms  # noqa: SLF001  no public name
    consumer._isolation_level = "read_committed"  # noqa: SLF001  no public name
    consumer._partition_assignment_strategy = [assignor]  # noqa: SLF001  no public name


def assignment_of(consumer: "AIOKafkaConsumer") -> Any:  # noqa: ANN401  aiokafka has no types
    """Return the consumer's assignment, which holds the state of each partition; None while there is none.

    The public `pause` only works on partitions that are assigned at that moment, and raises for any other.
    """
    subscription = consumer._subscription.subscription  # noqa: SLF001  no public name
    return None if subscription is None else subscription.assignment


async def fetch_commits(
    consumer: "AIOKafkaConsumer", partitions: Iterable["TopicPartition"]
) -> "dict[TopicPartition, OffsetAndMetadata]":
    """Ask the brokers for the commits of partitions, metadata included; of those alone that have a commit.

    The public `committed` leaves the metadata out: https://github.com/aio-libs/aiokafka/issues/857.

    Raises:
        KafkaError: the brokers do not answer, or refuse.
    """
    found: dict[TopicPartition, OffsetAndMetadata] = await consumer._coordinator.fetch_committed_offsets(  # noqa: SLF001  no public name
        list(partitions)
    )
    return found


def reset_to_beginning(consumer: "AIOKafkaConsumer", partitions: "Iterable[TopicPartition]") -> None:
    """Let the consumer continue at the oldest records of assigned partitions, as soon as their leaders answer.

    The public `seek_to_beginning` waits for these answers, up to `request_timeout_ms` for a partition without leader.
    """
    if partitions := list(partitions):
        consumer._fetcher.request_offset_reset(partitions, _EARLIEST)  # noqa: SLF001  no public name


def wake_poll(consumer: "AIOKafkaConsumer") -> None:
    """Let a `getmany` that waits for messages look again at what has been fetched; call it in the consumer's loop.

    `getmany` looks at the set of wanted partitions only when it wakes up, and aiokafka has no public way to wake it.
    """
    if consumer._fetcher is not None:  # noqa: SLF001  no public name
        for waiter in list(consumer._fetcher._fetch_waiters):  # noqa: SLF001  no public name
            if not waiter.done():
                waiter.set_result(None)


def raise_group_error(consumer: "AIOKafkaConsumer") -> None:
    """Raise what keeps this member out of the consumer group, if anything does; it tries to join again after that.

    The public `getmany` checks this since https://github.com/aio-libs/aiokafka/pull/425, but Faust goes past it.

    Raises:
        KafkaError: the reason.
    """
    if consumer._coordinator is not None:  # noqa: SLF001  no public name
        consumer._coordinator.check_errors()  # noqa: SLF001  no public name


def mark_polled(consumer: "AIOKafkaConsumer") -> None:
    """Restart the time after which a member that does not poll leaves the group (`max_poll_interval_ms`).

    Faust does not poll while all of its buffers are full. A worker that does not poll leaves the group and may never
    come back: https://github.com/robinhood/faust/issues/517.
    """
    with consumer._subscription.fetch_context():  # noqa: SLF001  no public name
        pass


def is_assigned(consumer: "AIOKafkaConsumer") -> bool:
    """Return whether partitions are assigned and no rebalance is under way; callable from any thread."""
    subscription = consumer._subscription  # noqa: SLF001  no public name
    return bool(subscription.assigned_partitions()) and not subscription.reassignment_in_progress


def ended_tasks(consumer: "AIOKafkaConsumer") -> tuple[str, ...]:
    """Return the names of background tasks of a started consumer that have ended; callable from any thread.

    aiokafka starts none of them again. Without the coordination task, a member that loses its partitions never joins
    again, and nothing says so.
    """
    if consumer._coordinator is None or consumer._fetcher is None:  # noqa: SLF001  no public name
        return ()
    tasks = {
        "coordination": consumer._coordinator._coordination_task,  # noqa: SLF001  no public name
        "fetcher": consumer._fetcher._fetch_task,  # noqa: SLF001  no public name
        "metadata": consumer._client._sync_task,  # noqa: SLF001  no public name
    }
    return tuple(name for name, task in tasks.items() if task is not None and task.done())


def answer_count(consumer: "AIOKafkaConsumer") -> int:
    """Return how many requests brokers have answered; `patches.rebootstrap` counts them."""
    return int(getattr(consumer._client, "answers", 0))  # noqa: SLF001  no public name


def sender_task(producer: "AIOKafkaProducer") -> "asyncio.Task[None]":
    """Return the task in which a started producer sends; once it has ended, no write is ever confirmed.

    aiokafka lets writes wait forever then: https://github.com/aio-libs/aiokafka/issues/1039.
    """
    task: asyncio.Task[None] = producer._sender.sender_task  # noqa: SLF001  no public name
    return task


def record_options(record: type) -> Any:  # noqa: ANN401  Faust's ModelOptions; this package imports no Faust
    """Return Faust's own reflection of a record: the types and defaults of its fields; there is no public one."""
    return record._options  # type: ignore[attr-defined]  # noqa: SLF001  every Faust record has it

# SPDX-License-Identifier: GPL-3.0-or-later
"""The workers of a run, and the values of their metrics."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from sandbox.worker import Worker

__all__ = ["METRICS", "SCHEDULING", "MetricsSnapshot", "WorkerPool", "WorkerProcess", "message_type_label"]

#: The modes of a worker that schedules workflows and sets flags, and those of a worker that only counts messages.
SCHEDULING = ("middletier", "backend")
METRICS = ("metrics",)

_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=5)
_FAILURES = "thoth_investigator_failures_total"
_HALTED = "thoth_investigator_halted_topics"
_PROCESSED = "thoth_investigator_processed_total"
_REBALANCES = "faust_rebalance_done_latency_count"


def message_type_label(base_name: str) -> str:
    """Return the value that the label `message_type` of metrics has for a base name."""
    return base_name.rsplit(".", 1)[-1].replace("-", "_")


@dataclass(frozen=True)
class MetricsSnapshot:
    """The metrics of one worker, or of several workers together, at one time.

    Attributes:
        samples: the name, labels and value of each sample.
    """

    samples: tuple[tuple[str, Mapping[str, str], float], ...]

    @classmethod
    def parse(cls, text: str) -> "MetricsSnapshot":
        """Parse a response of /metrics."""
        families = text_string_to_metric_families(text)
        return cls(tuple((each.name, each.labels, each.value) for family in families for each in family.samples))

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with that name and at least those labels."""
        return sum(value for found, having, value in self.samples if found == name and labels.items() <= having.items())

    def failures(self, base_name: str) -> int:
        """Return the number of messages of a type that failed permanently or exhausted their retries."""
        return int(self.total(_FAILURES, message_type=message_type_label(base_name)))

    def handled(self, base_name: str) -> int:
        """Return the number of messages of a type that were processed or failed."""
        return int(self.total(_PROCESSED, message_type=message_type_label(base_name))) + self.failures(base_name)

    def problems(self) -> list[str]:
        """Return one line for each halted topic, and for each message type with failed messages."""
        halted = {labels["base_topic_name"] for name, labels, value in self.samples if name == _HALTED and value}
        failed = {labels["message_type"] for name, labels, value in self.samples if name == _FAILURES and value}
        return [
            *(f"topic {topic} is halted" for topic in sorted(halted)),
            *(f"messages of type {message_type} failed" for message_type in sorted(failed)),
        ]

    @property
    def has_partitions(self) -> bool:
        """Whether the worker has completed a rebalance of its consumer group."""
        return self.total(_REBALANCES) > 0


@dataclass(frozen=True)
class WorkerProcess:
    """A worker, with its number from 1 and its modes."""

    number: int
    modes: tuple[str, ...]
    worker: Worker

    def __str__(self) -> str:
        """Return a text such as "worker 3 (metrics)"."""
        return f"worker {self.number} ({' and '.join(self.modes)})"

    @property
    def exit_message(self) -> str | None:
        """A line with the exit status and the log's path; None while the worker runs."""
        status = self.worker.process.status
        return None if status is None else f"{self} exited with status {status}; its log is {self.worker.log}"

    def last_log_lines(self, count: int = 5) -> list[str]:
        """Return the last `count` lines of the worker's log."""
        return self.worker.log_text().splitlines()[-count:]


@dataclass
class WorkerPool:
    """All workers of a run, and the open HTTP session for requests to their web pages."""

    members: list[WorkerProcess]
    session: aiohttp.ClientSession = field(repr=False)

    def with_modes(self, modes: tuple[str, ...]) -> list[WorkerProcess]:
        """Return the workers with exactly those modes."""
        return [member for member in self.members if member.modes == modes]

    def exit_messages(self) -> list[str]:
        """Return one line for each worker that has exited."""
        return [text for member in self.members if (text := member.exit_message)]

    async def metrics(self, members: Iterable[WorkerProcess] | None = None) -> MetricsSnapshot:
        """Return the metrics of some workers, or of all workers; a worker that does not answer contributes none."""
        chosen = self.members if members is None else list(members)
        texts = await asyncio.gather(*(self._fetch(member) for member in chosen))
        return MetricsSnapshot(tuple(sample for text in texts for sample in MetricsSnapshot.parse(text).samples))

    async def all_have_partitions(self) -> bool:
        """Return whether every worker has completed a rebalance of its consumer group."""
        return all([(await self.metrics([member])).has_partitions for member in self.members])

    async def _fetch(self, member: WorkerProcess) -> str:
        try:
            async with self.session.get(f"{member.worker.url}/metrics", timeout=_REQUEST_TIMEOUT) as reply:
                return await reply.text()
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return ""

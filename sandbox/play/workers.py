# SPDX-License-Identifier: GPL-3.0-or-later
"""The workers of a story, and what their metrics say."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from sandbox.worker import Worker

__all__ = ["ACTING", "METRICS", "Reading", "WorkerPool", "WorkerProcess", "label_of"]

ACTING = ("middletier", "backend")
METRICS = ("metrics",)

_PATIENCE = aiohttp.ClientTimeout(total=5)
_FAILURES = "thoth_investigator_failures_total"
_HALTED = "thoth_investigator_halted_topics"
_PROCESSED = "thoth_investigator_processed_total"
_REBALANCED = "faust_rebalance_done_latency_count"


def label_of(base_name: str) -> str:
    """Give the label by which metrics know a message type."""
    return base_name.rsplit(".", 1)[-1].replace("-", "_")


@dataclass(frozen=True)
class Reading:
    """All metrics of one worker or of several together, at one time: name, labels and value."""

    samples: tuple[tuple[str, Mapping[str, str], float], ...]

    @classmethod
    def of_text(cls, text: str) -> "Reading":
        """Read what /metrics shows."""
        families = text_string_to_metric_families(text)
        return cls(tuple((each.name, each.labels, each.value) for family in families for each in family.samples))

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of that name with those labels."""
        return sum(value for found, having, value in self.samples if found == name and labels.items() <= having.items())

    def failures(self, base_name: str) -> int:
        """Tell how many messages of a type were given up."""
        return int(self.total(_FAILURES, message_type=label_of(base_name)))

    def processed(self, base_name: str) -> int:
        """Tell how many messages of a type were handled or given up."""
        return int(self.total(_PROCESSED, message_type=label_of(base_name))) + self.failures(base_name)

    def troubles(self) -> list[str]:
        """Tell which topics are halted, and which messages were given up."""
        halted = {labels["base_topic_name"] for name, labels, value in self.samples if name == _HALTED and value}
        given_up = {labels["message_type"] for name, labels, value in self.samples if name == _FAILURES and value}
        return [
            *(f"the topic {topic} is halted" for topic in sorted(halted)),
            *(f"a message of the type {each} was given up" for each in sorted(given_up)),
        ]

    @property
    def has_partitions(self) -> bool:
        """Whether the worker has taken part in the assignment of partitions."""
        return self.total(_REBALANCED) > 0


@dataclass(frozen=True)
class WorkerProcess:
    """A worker, its number and its modes."""

    number: int
    modes: tuple[str, ...]
    worker: Worker

    def __str__(self) -> str:
        """Name it."""
        return f"worker {self.number} ({' and '.join(self.modes)})"

    @property
    def obituary(self) -> str | None:
        """How the worker ended, in a line; None while it runs."""
        status = self.worker.process.status
        return None if status is None else f"{self} has ended with status {status}; its log is {self.worker.log}"

    def last_words(self, count: int = 5) -> list[str]:
        """Give the last lines of its log."""
        return self.worker.log_text().splitlines()[-count:]


@dataclass
class WorkerPool:
    """All workers; `read` needs `web` to be open."""

    members: list[WorkerProcess]
    web: aiohttp.ClientSession = field(repr=False)

    def with_modes(self, modes: tuple[str, ...]) -> list[WorkerProcess]:
        """Give the workers with those modes."""
        return [member for member in self.members if member.modes == modes]

    def obituaries(self) -> list[str]:
        """Tell which workers have ended."""
        return [text for member in self.members if (text := member.obituary)]

    async def read(self, members: Iterable[WorkerProcess] | None = None) -> Reading:
        """Read the metrics of some workers, or of all; of one that does not answer there are none."""
        chosen = self.members if members is None else list(members)
        texts = await asyncio.gather(*(self._fetch(member) for member in chosen))
        return Reading(tuple(sample for text in texts for sample in Reading.of_text(text).samples))

    async def all_have_partitions(self) -> bool:
        """Tell whether every worker has taken part in an assignment of partitions."""
        return all([(await self.read([member])).has_partitions for member in self.members])

    async def _fetch(self, member: WorkerProcess) -> str:
        try:
            async with self.web.get(f"{member.worker.url}/metrics", timeout=_PATIENCE) as reply:
                return await reply.text()
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return ""

# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault after the other on running workers: traffic before and during the fault, then the recovery."""

import math
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.fault_matrix.effects import Effects, seed_versions
from sandbox.fault_matrix.rows import PATIENCE, Row
from sandbox.fault_matrix.streams import STREAMS
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.fault_matrix.traffic import Departure, Sent, Traffic, steady
from sandbox.fault_matrix.verdict import Measurement
from sandbox.fault_matrix.workers import failed_attempts, halted_topics, resume
from sandbox.processes import eventually
from sandbox.worker import Worker

__all__ = ["ENVIRONMENT", "Extent", "FaultMatrix"]

#: Settings of the workers that give every operation traffic: they count pending workflows, and soon forget templates.
ENVIRONMENT = {
    "ARGO_PENDING_WORKFLOW_LIMIT": "200",
    "THOTH_INVESTIGATOR_OUTAGE_PATIENCE": f"{PATIENCE:g}",
    "THOTH_INVESTIGATOR_TEMPLATE_TTL": "1",
}
_START_SECONDS = 90.0
_STEADY = 3.0  # messages a second of each stream
_MANY = 5.0  # the same of streams that a fault affects
_LONE_AFTER = 0.5  # seconds from the begin of a fault until its lone message


@dataclass(frozen=True)
class Extent:
    """The extent of a measurement; times in seconds.

    Attributes:
        normal: of the traffic before each fault.
        longest_fault: the bound of the durations that rows name.
        recovery: how long to wait for all effects after a fault, and again after a resume.
        messages: the largest number of messages; the database is filled for as many.
    """

    normal: float = 8.0
    longest_fault: float = math.inf
    recovery: float = 30.0
    messages: int = 100_000


class FaultMatrix:
    """Measures faults, one after the other.

    Args:
        parts: the servers.
        workers: the running workers.
        traffic: the sender of messages.
        seed: the seed of the phases of messages.
        extent: how long each measurement takes.
    """

    def __init__(
        self,
        parts: Surroundings,
        workers: Sequence[Worker],
        traffic: Traffic,
        *,
        seed: int,
        extent: Extent = Extent(),
    ) -> None:
        self._parts = parts
        self._workers = workers
        self._traffic = traffic
        self._rng = random.Random(seed)  # noqa: S311 - a repeatable sequence
        self._extent = extent
        self._effects = Effects(parts)
        seed_versions(parts, extent.messages)

    def warm_up(self) -> None:
        """Send a message of every stream, and wait until each one has its effects: the workers have joined their group.

        Raises:
            RuntimeError: a message has not had all of its effects in time.
        """
        if not self._wait_for(self._traffic.send([Departure(0, stream) for stream in STREAMS], 0), _START_SECONDS):
            raise RuntimeError(f"the workers have not handled a message of every stream in {_START_SECONDS:g} s")

    def measure(self, row: Row) -> Measurement:
        """Cause a fault, repair it, wait for the recovery, and resume what is halted."""
        seconds = self._extent.normal
        before = self._traffic.send(steady(self._rng, STREAMS, seconds, _STEADY), seconds)
        self._wait_for(before)
        attempts, repeated = failed_attempts(self._workers), len(self._effects.repeated)
        during, repaired, is_met = self._cause(row)
        needed = [sent for sent in during if not (row.expected.final and row.affects(sent.stream))]
        affected = frozenset(stream.base_name for stream in STREAMS if row.affects(stream))
        halted = self._wait_for_halts(affected) if row.expected.halts == "must" else self._wait_for_recovery(needed)
        recovery = [self._done(sent) - repaired for sent in needed if row.affects(sent.stream)]
        self._resume(halted, needed)
        return Measurement(
            normal=self._delays(before, row),
            delays=self._delays(during, row),
            lost=self._lost([*before, *needed]),
            twice=len(self._effects.repeated) - repeated,
            attempts=failed_attempts(self._workers) - attempts,
            recovery=max([0.0, *recovery]),
            halted=halted,
            affected=affected,
            is_met=is_met,
        )

    def _cause(self, row: Row) -> tuple[list[Sent], float, bool]:
        """Cause the fault; return the messages of that time, its end, and whether any request has met it."""
        seconds = min(row.seconds, self._extent.longest_fault)
        with row.breaks(self._parts) as is_met:
            during = self._traffic.send(self._departures(row, seconds), seconds)
            return during, time.time(), is_met is None or is_met()

    def _wait_for_halts(self, base_names: frozenset[str]) -> frozenset[str]:
        """Wait until these topics are halted; return all halted topics."""
        eventually(lambda: halted_topics(self._workers) >= base_names, self._extent.recovery, 1.0)
        return halted_topics(self._workers)

    def _wait_for_recovery(self, messages: Sequence[Sent]) -> frozenset[str]:
        """Wait until the messages are done; return the topics that are halted."""
        self._wait_for(messages)
        return halted_topics(self._workers)

    def _departures(self, row: Row, seconds: float) -> list[Departure]:
        affected = [stream for stream in STREAMS if row.affects(stream)]
        others = [stream for stream in STREAMS if stream not in affected]
        normal = steady(self._rng, others, seconds, _STEADY)
        if row.lone:
            return [*normal, Departure(_LONE_AFTER, affected[0])]
        return [*normal, *steady(self._rng, affected, seconds, _MANY)]

    def _resume(self, halted: frozenset[str], needed: Sequence[Sent]) -> None:
        if halted:
            resume(self._workers, halted)
            self._wait_for(needed)

    def _lost(self, messages: Sequence[Sent]) -> int:
        """Return how many messages are not done, and end connections that could keep the next fault's from being."""
        lost = sum(math.isinf(self._done(sent)) for sent in messages)
        if lost:
            self._parts.close_database_connections()
            self._wait_for(messages)
        return lost

    def _wait_for(self, messages: Sequence[Sent], seconds: float | None = None) -> bool:
        def done() -> bool:
            self._effects.update()
            return all(math.isfinite(self._done(sent)) for sent in messages)

        return eventually(done, seconds or self._extent.recovery, 0.25)

    def _delays(self, messages: Iterable[Sent], row: Row) -> list[float]:
        """Return the delays of the messages that the fault does not affect."""
        return [self._done(sent) - sent.at for sent in messages if not row.affects(sent.stream)]

    def _done(self, sent: Sent) -> float:
        """Return when the message had all of its effects; infinite if it has not."""
        times = self._effects.times(sent.number)
        return times[sent.stream.effects - 1] if len(times) >= sent.stream.effects else math.inf

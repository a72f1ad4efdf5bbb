# SPDX-License-Identifier: GPL-3.0-or-later
"""Steady traffic: the messages of several streams, sent at a constant rate with random phases."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from typing_extensions import Self

from sandbox.background import BackgroundLoop
from sandbox.fault_matrix.streams import STREAMS, Stream, message_of
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.kafka_client import KafkaClient

__all__ = ["Departure", "Sent", "Traffic", "steady"]

_PARTITIONS = 2
_ACKNOWLEDGEMENT_SECONDS = 60.0


@dataclass(frozen=True)
class Departure:
    """A message to send: its stream, and when, in seconds from the start."""

    after: float
    stream: Stream


@dataclass(frozen=True)
class Sent:
    """A message that was sent; `at` is the time in seconds since the epoch."""

    number: int
    stream: Stream
    at: float


def steady(rng: random.Random, streams: Iterable[Stream], seconds: float, per_second: float) -> list[Departure]:
    """Return the departures of every stream at a constant rate, each stream with its own random phase."""
    phases = {stream: rng.random() for stream in streams}
    count = max(1, int(seconds * per_second))
    return [
        Departure((number + phase) * seconds / count, stream)
        for stream, phase in phases.items()
        for number in range(count)
    ]


class Traffic:
    """A sender of messages with numbers from 1; a context manager that creates the topics and connects."""

    def __init__(self, parts: Surroundings) -> None:
        self._parts = parts
        self._numbers = itertools.count(1)
        self._loop = BackgroundLoop("traffic")
        self._kafka = KafkaClient(parts.sandbox.broker.bootstrap_servers)

    def __enter__(self) -> Self:
        """Create the topics of all streams, and connect."""
        topics = {self._parts.sandbox.topic(stream.base_name) for stream in STREAMS}
        self._loop.run(self._parts.sandbox.broker.create_topics(topics, _PARTITIONS))
        self._loop.run(self._kafka.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Disconnect."""
        self._loop.run(self._kafka.__aexit__(None, None, None))
        self._loop.stop()

    def send(self, departures: Iterable[Departure], seconds: float) -> list[Sent]:
        """Send the messages, each at its time; return after `seconds`, and when the broker has all of them."""
        return self._loop.run(self._send_all(departures, seconds), timeout=seconds + _ACKNOWLEDGEMENT_SECONDS)

    async def _send_all(self, departures: Iterable[Departure], seconds: float) -> list[Sent]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        tasks = []
        for departure in sorted(departures, key=lambda each: each.after):
            await asyncio.sleep(started + departure.after - loop.time())
            tasks.append(asyncio.create_task(self._send(departure.stream)))
        await asyncio.sleep(started + seconds - loop.time())
        return await asyncio.gather(*tasks)

    async def _send(self, stream: Stream) -> Sent:
        sent = Sent(next(self._numbers), stream, time.time())
        topic = self._parts.sandbox.topic(stream.base_name)
        await self._kafka.send(topic, message_of(stream, self._parts, sent.number))
        return sent

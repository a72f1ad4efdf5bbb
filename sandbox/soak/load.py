# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the soak test: valid ones of all streams, some with a key, and a few invalid ones, at random."""

import random
from dataclasses import dataclass, field

from aiokafka.structs import RecordMetadata

from sandbox.fault_matrix.streams import STREAMS, Stream, message_of
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.kafka_client import KafkaClient, Value

__all__ = ["BASE_NAMES", "KEYS", "Load", "Sent"]

BASE_NAMES = tuple(dict.fromkeys(stream.base_name for stream in STREAMS))
KEYS = tuple(f"key-{number}".encode() for number in range(8))

_INVALID_SHARE = 0.03
_INVALID: tuple[Value, ...] = (
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[1, 2]",
    b'"text"',
    b"[" * 5000,
    b'{"component_name": 3, "service_version": "1", "project_url": "x", "inspection_id": "x"}',
    {"component_name": "soak", "service_version": "1"} | {"package_name": None},
    {"component_name": "soak", "service_version": "1", "version": "v99", "project_url": "x", "inspection_id": "x"},
)


@dataclass
class Sent:
    """The messages that the broker has acknowledged.

    Attributes:
        valid: the stream of each valid message, by the message's number.
        keyed: the numbers of the valid messages by base name and key, in the order of their offsets.
        invalid: the positions (partition, offset) of the invalid messages, by base name.
    """

    valid: dict[int, Stream] = field(default_factory=dict)
    keyed: dict[tuple[str, bytes], list[int]] = field(default_factory=dict)
    invalid: dict[str, set[tuple[int, int]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of all messages."""
        return len(self.valid) + sum(map(len, self.invalid.values()))


class Load:
    """A producer of random messages; `rng` makes all choices, so that a seed repeats them."""

    def __init__(self, rng: random.Random, kafka: KafkaClient, parts: Surroundings) -> None:
        self.sent = Sent()
        self._rng = rng
        self._kafka = kafka
        self._parts = parts

    async def send_some(self) -> None:
        """Send 1 to 20 messages, one after the other."""
        for _ in range(self._rng.randint(1, 20)):
            stream = self._rng.choice(STREAMS)
            key = self._rng.choice((None, *KEYS))
            if self._rng.random() < _INVALID_SHARE:
                record = await self._send(stream, self._rng.choice(_INVALID), key)
                self.sent.invalid.setdefault(stream.base_name, set()).add((record.partition, record.offset))
            else:
                await self._send_valid(stream, key)

    async def _send_valid(self, stream: Stream, key: bytes | None) -> None:
        number = len(self.sent.valid)
        await self._send(stream, message_of(stream, self._parts, number), key)
        self.sent.valid[number] = stream
        if key is not None:
            self.sent.keyed.setdefault((stream.base_name, key), []).append(number)

    async def _send(self, stream: Stream, value: Value, key: bytes | None) -> RecordMetadata:
        return await self._kafka.send(self._parts.sandbox.topic(stream.base_name), value, key=key)

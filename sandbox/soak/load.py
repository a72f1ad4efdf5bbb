# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent: good messages, some with a key, and bad ones of every kind among them, by chance."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiokafka.structs import RecordMetadata

from sandbox.kafka_client import KafkaClient, Value

__all__ = ["GOOD", "KEYS", "Load", "Sent", "good", "number_of"]

#: Where messages go: each good one leads to one workflow, in either namespace.
GOOD = {"thoth.repo-init": "project_url", "thoth.inspection-completed": "inspection_id"}
KEYS = tuple(f"key-{number}".encode() for number in range(8))

_BAD_SHARE = 0.03
_BAD: tuple[Value, ...] = (
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[1, 2]",
    b'"text"',
    b"[" * 5000,
    b'{"component_name": 3, "service_version": "1", "project_url": "x", "inspection_id": "x"}',
    {"component_name": "soak", "service_version": "1"},
    {"component_name": "soak", "service_version": "1", "version": "v99", "project_url": "x", "inspection_id": "x"},
)


@dataclass
class Sent:
    """What the broker has acknowledged.

    Attributes:
        good: the base name of the topic of each good message, by its number.
        keyed: the numbers of the messages of each topic and key, in the order of their offsets.
        bad: the places of bad messages by base name.
    """

    good: dict[int, str] = field(default_factory=dict)
    keyed: dict[tuple[str, bytes], list[int]] = field(default_factory=dict)
    bad: dict[str, set[tuple[int, int]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many messages these are in all."""
        return len(self.good) + sum(map(len, self.bad.values()))


class Load:
    """Sends messages; which ones is decided by the seed of `chance`."""

    def __init__(self, chance: random.Random, kafka: KafkaClient, deployment: str) -> None:
        self.sent = Sent()
        self._chance = chance
        self._kafka = kafka
        self._deployment = deployment

    async def send_some(self) -> None:
        """Send a few messages, one after the other."""
        for _ in range(self._chance.randint(1, 20)):
            base_name = self._chance.choice(tuple(GOOD))
            key = self._chance.choice((None, *KEYS))
            if self._chance.random() < _BAD_SHARE:
                place = await self._send(base_name, self._chance.choice(_BAD), key)
                self.sent.bad.setdefault(base_name, set()).add((place.partition, place.offset))
            else:
                number = len(self.sent.good)
                await self._send(base_name, good(base_name, number), key)
                self.sent.good[number] = base_name
                if key is not None:
                    self.sent.keyed.setdefault((base_name, key), []).append(number)

    async def _send(self, base_name: str, value: Value, key: bytes | None) -> RecordMetadata:
        return await self._kafka.send(f"{self._deployment}.{base_name}", value, key=key)


def good(base_name: str, number: int) -> dict[str, str]:
    """Make a good message with a number by which its workflow is recognized."""
    return {"component_name": "soak", "service_version": "1", GOOD[base_name]: f"soak-{number:07}"}


def number_of(parameters: dict[str, str]) -> int | None:
    """Give the number of the message that a workflow with these parameters was created for."""
    return next(_numbers(parameters), None)


def _numbers(parameters: dict[str, str]) -> Iterator[int]:
    for name in ("project-url", "THOTH_SYNC_DOCUMENT_ID"):
        if (text := parameters.get(name) or "").startswith("soak-"):
            yield int(text.removeprefix("soak-"))

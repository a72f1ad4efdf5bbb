# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the soak test: valid ones, some with a key, and a few invalid ones of every kind, at random."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiokafka.structs import RecordMetadata

from sandbox.kafka_client import KafkaClient, Value

__all__ = ["FIELDS", "KEYS", "Load", "Sent", "number_of", "valid_message"]

#: The field that carries a message's number, by base name; each valid message leads to one workflow.
FIELDS = {"thoth.repo-init": "project_url", "thoth.inspection-completed": "inspection_id"}
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
    {"component_name": "soak", "service_version": "1"},
    {"component_name": "soak", "service_version": "1", "version": "v99", "project_url": "x", "inspection_id": "x"},
)


@dataclass
class Sent:
    """The messages that the broker has acknowledged.

    Attributes:
        valid: the base name of each valid message, by the message's number.
        keyed: the numbers of the valid messages by base name and key, in the order of their offsets.
        invalid: the positions (partition, offset) of the invalid messages, by base name.
    """

    valid: dict[int, str] = field(default_factory=dict)
    keyed: dict[tuple[str, bytes], list[int]] = field(default_factory=dict)
    invalid: dict[str, set[tuple[int, int]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of all messages."""
        return len(self.valid) + sum(map(len, self.invalid.values()))


class Load:
    """A producer of random messages; `rng` makes all choices, so that a seed repeats them."""

    def __init__(self, rng: random.Random, kafka: KafkaClient, deployment: str) -> None:
        self.sent = Sent()
        self._rng = rng
        self._kafka = kafka
        self._deployment = deployment

    async def send_some(self) -> None:
        """Send 1 to 20 messages, one after the other."""
        for _ in range(self._rng.randint(1, 20)):
            base_name = self._rng.choice(tuple(FIELDS))
            key = self._rng.choice((None, *KEYS))
            if self._rng.random() < _INVALID_SHARE:
                record = await self._send(base_name, self._rng.choice(_INVALID), key)
                self.sent.invalid.setdefault(base_name, set()).add((record.partition, record.offset))
            else:
                number = len(self.sent.valid)
                await self._send(base_name, valid_message(base_name, number), key)
                self.sent.valid[number] = base_name
                if key is not None:
                    self.sent.keyed.setdefault((base_name, key), []).append(number)

    async def _send(self, base_name: str, value: Value, key: bytes | None) -> RecordMetadata:
        return await self._kafka.send(f"{self._deployment}.{base_name}", value, key=key)


def valid_message(base_name: str, number: int) -> dict[str, str]:
    """Return a valid message with a number that its workflow's parameters repeat."""
    return {"component_name": "soak", "service_version": "1", FIELDS[base_name]: f"soak-{number:07}"}


def number_of(parameters: dict[str, str]) -> int | None:
    """Return the number of the message of a workflow with these parameters; None for other workflows."""
    return next(_numbers(parameters), None)


def _numbers(parameters: dict[str, str]) -> Iterator[int]:
    for name in ("project-url", "THOTH_SYNC_DOCUMENT_ID"):
        if (text := parameters.get(name) or "").startswith("soak-"):
            yield int(text.removeprefix("soak-"))

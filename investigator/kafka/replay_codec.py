# SPDX-License-Identifier: GPL-3.0-or-later
"""The replay log's records as bytes: the only place that knows their format.

A key names the position of a dead letter, a value its last replay, as a JSON object.
"""

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter

from investigator.delivery.origin import Origin
from investigator.kafka import log_records
from investigator.kafka.log_records import InvalidRecordError, Name, Offset, PartitionNumber, TimestampMs, parse


@dataclass(frozen=True)
class Replayed:
    """The last replay of a dead letter.

    Attributes:
        at: when it was sent, in seconds since 1970.
        by: the operator who replayed it.
        partition: the partition of the replay in the original topic.
        offset: its offset there.
    """

    at: float
    by: str
    partition: int
    offset: int


class _Value(log_records.StrictModel):
    at: log_records.Seconds
    by: Name
    partition: PartitionNumber
    offset: Offset


_VALUE = TypeAdapter(_Value)
_NUMBERS: TypeAdapter[tuple[int, int, int]] = TypeAdapter(tuple[PartitionNumber, Offset, TimestampMs])


def encode_key(position: Origin) -> bytes:
    """Return the key of a record."""
    return f"{position.topic}/{position.partition}/{position.offset}/{position.timestamp_ms}".encode()


def encode_value(replayed: Replayed) -> bytes:
    """Return the value of a record."""
    return json.dumps({**asdict(replayed), "by": log_records.writable_name(replayed.by)}).encode()


def decode_key(key: bytes | None) -> Origin:
    """Return the position of the dead letter; raise InvalidRecordError if the key names none."""
    try:
        topic, *numbers = (key or b"")[: log_records.MAX_BYTES + 1].decode().rsplit("/", 3)
        partition, offset, timestamp_ms = parse(_NUMBERS, f"[{','.join(numbers)}]".encode())
    except ValueError:
        raise InvalidRecordError("the key is not the position of a dead letter") from None
    if not topic:
        raise InvalidRecordError("the key names no topic")
    return Origin(topic, partition, offset, timestamp_ms)


def decode_value(value: bytes | None) -> Replayed:
    """Return the last replay; raise InvalidRecordError if the value is that of no replay."""
    if value is None:
        raise InvalidRecordError("a tombstone")
    return Replayed(**parse(_VALUE, value).model_dump())

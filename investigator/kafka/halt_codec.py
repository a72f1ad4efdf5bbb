# SPDX-License-Identifier: GPL-3.0-or-later
"""The halt log's records as bytes: the only place that knows their format.

A key is a JSON list: the consumer group, the base name of the topic, and, for a failed message, its partition, offset
and timestamp. A value is a JSON object. A tombstone has the outcome of its message in a header, as it has no value.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict

from pydantic import TypeAdapter

from investigator.delivery.halts import FailedMessage, HaltKey, HaltRecord, LogEntry, Outcome, ResumeAction, Settlement
from investigator.delivery.origin import MessagePosition
from investigator.kafka import log_records
from investigator.kafka.log_records import InvalidRecordError, Name, Offset, PartitionNumber, TimestampMs, parse
from investigator.kafka.producer import Headers

_OUTCOME = "outcome"


class _Cause(log_records.StrictModel):
    partition: PartitionNumber
    offset: Offset
    timestamp_ms: TimestampMs
    error: log_records.ErrorText
    attempts: log_records.Count


class _Value(log_records.StrictModel):
    since: log_records.Seconds
    by: Name
    cause: _Cause | None = None
    action: ResumeAction | None = None
    failure_offset: Offset | None = None


_KEY: TypeAdapter[tuple[str] | tuple[str, str] | tuple[str, str, int, int, int]] = TypeAdapter(
    tuple[Name] | tuple[Name, Name] | tuple[Name, Name, PartitionNumber, Offset, TimestampMs]
)
_VALUE = TypeAdapter(_Value)


def marker_key(group: str) -> bytes:
    """Return the key of the marker records of a group."""
    return json.dumps([group]).encode()


def encode_key(group: str, key: HaltKey) -> bytes:
    """Return the key of a record."""
    return json.dumps([group, key.topic, *(key.position or ())]).encode()


def encode_entry(entry: LogEntry) -> tuple[bytes | None, Headers]:
    """Return the value of a record, and its headers; texts are cut to what a reader accepts."""
    if isinstance(entry, Settlement):
        return None, ((_OUTCOME, entry.outcome.value.encode()),)
    if entry is None:
        return None, ()
    content = asdict(entry)
    content["by"] = log_records.writable_name(entry.by)
    if entry.cause is not None:
        content["cause"]["error"] = log_records.writable_error(entry.cause.error)
    return json.dumps(content).encode(), ()


def decode_key(key: bytes | None, group: str) -> HaltKey | None:
    """Return the key of a halt; None for records of other groups and for marker records.

    Raises:
        InvalidRecordError: the key is that of no record of the log.
    """
    try:
        parsed = parse(_KEY, key or b"")
    except InvalidRecordError:
        raise InvalidRecordError("the key is not that of a halt") from None
    if parsed[0] != group or len(parsed) == 1:
        return None
    if len(parsed) == 2:  # noqa: PLR2004  a group and a topic
        return HaltKey(parsed[1])
    return HaltKey(parsed[1], MessagePosition(*parsed[2:]))


def decode_entry(key: HaltKey, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> LogEntry:
    """Return what a record says about its key.

    Raises:
        InvalidRecordError: the value is not that of a record with this key.
    """
    if value is None:
        return _decode_tombstone(dict(headers).get(_OUTCOME))
    parsed = parse(_VALUE, value)
    cause = None if parsed.cause is None else FailedMessage(**parsed.cause.model_dump())
    if key.position != (None if cause is None else cause.position):
        raise InvalidRecordError("key and value name different messages")
    if cause is None and parsed.action is not None:
        raise InvalidRecordError("a decision about no message")
    return HaltRecord(parsed.since, parsed.by, cause, parsed.action, parsed.failure_offset)


def _decode_tombstone(outcome: bytes | None) -> LogEntry:
    known = {each.value.encode(): each for each in Outcome}
    return Settlement(known[outcome]) if outcome in known else None

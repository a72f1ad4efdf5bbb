# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters: a message that was given up, kept as it came, with headers that say where it came from and why.

Names and encodings of the headers are those of spring-kafka's DeadLetterPublishingRecoverer and KafkaHeaders, so that
its tools read them: texts in UTF-8, the partition as a 4 byte and offset and timestamp as 8 byte big-endian integers.
"""

import traceback
from collections.abc import Callable

from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure, safe_str

Headers = tuple[tuple[str, bytes | None], ...]  # None is a header without content, which Kafka tells from an empty one

SUFFIX = "-dlt"
ATTEMPTS = "retry_topic-attempts"
REPLAYS = "investigator-replays"
REPLAYED_FOR = "investigator-replayed-for"

ORIGINAL = "kafka_dlt-original-"
GROUP = f"{ORIGINAL}consumer-group"
EXCEPTION = "kafka_dlt-exception-"

#: By so many bytes a dead letter may be larger than its message: twice _MAX_BYTES of an error, and some names.
MAX_HEADER_BYTES = 64 * 1024

_MAX_BYTES = 8192
_MAX_LONG = 2**63 - 1
_TIMESTAMP_TYPES = {0: "CreateTime", 1: "LogAppendTime"}


def dead_letter_topic(topic: str) -> str:
    """Give the name of the topic that keeps the dead letters of a topic."""
    return topic + SUFFIX


def dead_letter_headers(
    delivery: Delivery, failure: Failure, group: str, redact: Callable[[str], str] = str
) -> Headers:
    """Make the headers of a dead letter: its own ones, where it came from, and why it was given up.

    A message that died before keeps what it says of its first origin; what it says of its last end is replaced.

    Args:
        delivery: the message.
        failure: why it was given up.
        group: the consumer group that gave it up.
        redact: removes passwords from a text.
    """
    own = tuple(header for header in delivery.headers if not _is_failure_header(header[0]))
    known = {name for name, _ in own}
    original = tuple(header for header in _original(delivery, group) if header[0] not in known)
    attempts = (ATTEMPTS, failure.attempts.to_bytes(4, "big"))
    return (*own, *original, *_exception(failure.error, redact), attempts)


def _is_failure_header(name: str) -> bool:
    return name in (ATTEMPTS, REPLAYED_FOR, GROUP) or name.startswith(EXCEPTION)


def _original(delivery: Delivery, group: str) -> Headers:
    return (
        (f"{ORIGINAL}topic", delivery.partition.topic.encode()),
        (f"{ORIGINAL}partition", delivery.partition.number.to_bytes(4, "big")),
        (f"{ORIGINAL}offset", delivery.offset.to_bytes(8, "big")),
        # Producers send any number, and on its way through seconds the highest one came out a little higher.
        (f"{ORIGINAL}timestamp", min(delivery.origin.timestamp_ms, _MAX_LONG).to_bytes(8, "big", signed=True)),
        (f"{ORIGINAL}timestamp-type", _TIMESTAMP_TYPES.get(delivery.timestamp_type, "NoTimestampType").encode()),
        (GROUP, group.encode()),
    )


def _exception(error: Exception, redact: Callable[[str], str]) -> Headers:
    message = redact(safe_str(error)).encode("utf-8", "replace")
    trace = redact("".join(traceback.format_exception(error))).encode("utf-8", "replace")
    # The end of a stack trace tells more than its beginning.
    texts = {"message": _whole(message[:_MAX_BYTES]), "stacktrace": _whole(trace[-_MAX_BYTES:])}
    names = {"fqcn": _class_name(error)}
    if error.__cause__ is not None:
        names["cause-fqcn"] = _class_name(error.__cause__)
    return tuple((EXCEPTION + name, text) for name, text in (names | texts).items())


def _whole(cut: bytes) -> bytes:
    return cut.decode("utf-8", "ignore").encode()


def _class_name(error: BaseException) -> bytes:
    return f"{type(error).__module__}.{type(error).__qualname__}".encode("utf-8", "replace")


def origin_of_replay(headers: Headers) -> Origin | None:
    """Give the identity of the message that was replayed; None where the headers are not those of a replay."""
    return original_origin(headers) if REPLAYS in dict(headers) else None


def original_origin(headers: Headers) -> Origin | None:
    """Give where a dead letter first lay; None where its headers do not tell, as those of somebody else may not."""
    content = dict(headers)
    fields = [content.get(ORIGINAL + name) or b"" for name in ("topic", "partition", "offset", "timestamp")]
    if [len(number) for number in fields[1:]] != [4, 8, 8]:
        return None
    partition, offset, timestamp = (int.from_bytes(number, "big", signed=True) for number in fields[1:])
    try:
        topic = fields[0].decode()
    except UnicodeDecodeError:
        return None
    return Origin(topic, partition, offset, timestamp) if topic and partition >= 0 and offset >= 0 else None

# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers of a dead letter: a failed message, published unchanged, with its origin and its error in headers.

Names and encodings of the headers are those of spring-kafka's DeadLetterPublishingRecoverer and KafkaHeaders, so that
its tools can read them: text in UTF-8, the partition as a 4 byte and offset and timestamp as 8 byte big-endian
integers.
"""

import traceback
from collections.abc import Callable

from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure, safe_str

Headers = tuple[tuple[str, bytes | None], ...]  # None: a header without a value, which Kafka distinguishes from b""

SUFFIX = "-dlt"
ATTEMPTS = "retry_topic-attempts"
REPLAYS = "investigator-replays"
REPLAYED_FOR = "investigator-replayed-for"
PROOF = "investigator-replay-proof"

ORIGINAL = "kafka_dlt-original-"
GROUP = f"{ORIGINAL}consumer-group"
EXCEPTION = "kafka_dlt-exception-"

#: The most bytes by which a dead letter exceeds its message: twice _MAX_BYTES of an error, and some names.
MAX_HEADER_BYTES = 64 * 1024

_MAX_BYTES = 8192
_MAX_LONG = 2**63 - 1
_TIMESTAMP_TYPES = {0: "CreateTime", 1: "LogAppendTime"}


def dead_letter_topic(topic: str) -> str:
    """Return the name of the dead-letter topic of a topic."""
    return topic + SUFFIX


def dead_letter_headers(
    delivery: Delivery, failure: Failure, group: str, redact: Callable[[str], str] = str
) -> Headers:
    """Return the headers of a dead letter: the message's own ones, its origin, and its error.

    The headers of a replay that fails again name its first origin, and that stays; those about its last failure are
    replaced. Headers of another message that look like an origin stay too, before its own origin: the last one counts.

    Args:
        delivery: the message; only the headers of a proved replay say that it is one.
        failure: why it failed.
        group: the consumer group in which it failed.
        redact: removes passwords from a text.
    """
    own = tuple(header for header in delivery.headers if not _is_failure_header(header[0]))
    names = {name for name, _ in own} if REPLAYS in dict(own) else set()
    original = tuple(header for header in _origin_headers(delivery, group) if header[0] not in names)
    attempts = (ATTEMPTS, failure.attempts.to_bytes(4, "big"))
    return (*own, *original, *_error_headers(failure.error, redact), attempts)


def _is_failure_header(name: str) -> bool:
    return name in (ATTEMPTS, REPLAYED_FOR, PROOF, GROUP) or name.startswith(EXCEPTION)


def _origin_headers(delivery: Delivery, group: str) -> Headers:
    return (
        (f"{ORIGINAL}topic", delivery.partition.topic.encode()),
        (f"{ORIGINAL}partition", delivery.partition.number.to_bytes(4, "big")),
        (f"{ORIGINAL}offset", delivery.offset.to_bytes(8, "big")),
        # Producers may send any number, and the conversion to seconds and back raises the highest one a little.
        (f"{ORIGINAL}timestamp", min(delivery.origin.timestamp_ms, _MAX_LONG).to_bytes(8, "big", signed=True)),
        (f"{ORIGINAL}timestamp-type", _TIMESTAMP_TYPES.get(delivery.timestamp_type, "NoTimestampType").encode()),
        (GROUP, group.encode()),
    )


def _error_headers(error: Exception, redact: Callable[[str], str]) -> Headers:
    message = redact(safe_str(error)).encode("utf-8", "replace")
    trace = redact("".join(traceback.format_exception(error))).encode("utf-8", "replace")
    # The end of a stack trace says more than its beginning.
    texts = {"message": _whole_characters(message[:_MAX_BYTES]), "stacktrace": _whole_characters(trace[-_MAX_BYTES:])}
    names = {"fqcn": _class_name(error)}
    if error.__cause__ is not None:
        names["cause-fqcn"] = _class_name(error.__cause__)
    return tuple((EXCEPTION + name, text) for name, text in (names | texts).items())


def _whole_characters(text: bytes) -> bytes:
    """Return the text without the bytes of a character that was cut in two."""
    return text.decode("utf-8", "ignore").encode()


def _class_name(error: BaseException) -> bytes:
    return f"{type(error).__module__}.{type(error).__qualname__}".encode("utf-8", "replace")


def origin_of_replay(headers: Headers) -> Origin | None:
    """Return the origin of the message that was replayed; None if the headers are not those of a replay."""
    return origin_from_headers(headers) if REPLAYS in dict(headers) else None


def origin_from_headers(headers: Headers) -> Origin | None:
    """Return the origin that a dead letter's headers name; None if they name none, as those of other producers."""
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

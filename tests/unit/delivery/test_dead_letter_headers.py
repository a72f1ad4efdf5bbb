# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers of dead letters, byte for byte, and the limit on their number."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.dead_letter_limit import DeadLetterLimit, DeadLetterLimiter
from investigator.delivery.dead_letters import (
    REPLAYS,
    Headers,
    dead_letter_headers,
    dead_letter_topic,
    origin_from_headers,
    origin_of_replay,
)
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure

TOPIC = "stage.thoth.adviser-trigger"
TIME = 1_700_000_000_123


def delivery(headers: Headers = (), *, timestamp_ms: int = TIME, timestamp_type: int = 0) -> Delivery:
    """Return a message at offset 300 of partition 5."""
    origin = Origin(TOPIC, 5, 300, timestamp_ms)
    return Delivery(
        "thoth.adviser-trigger",
        Partition(TOPIC, 5),
        300,
        b"key",
        origin,
        list,
        b"{}",
        headers,
        timestamp_type,
    )


def raised(error: Exception, cause: Exception | None = None) -> Failure:
    """Return the failure of a handler that raised the error."""
    try:
        raise error from cause  # noqa: TRY301  the error needs a traceback
    except Exception as caught:  # noqa: BLE001  any error
        return Failure(caught, attempts=5)


def headers_with(failure: Failure | None = None, of: Delivery | None = None) -> dict[str, bytes]:
    """Return the headers of a dead letter; each name occurs once."""
    headers = dead_letter_headers(of or delivery(), failure or raised(ValueError("bad")), "group")
    assert len(dict(headers)) == len(headers)
    return {name: content for name, content in headers if content is not None}


def test_the_dead_letter_topic_is_named_after_the_topic() -> None:
    """`{topic}-dlt`, as spring-kafka names it."""
    assert dead_letter_topic(TOPIC) == "stage.thoth.adviser-trigger-dlt"


def test_the_headers_are_those_of_spring_kafka_byte_for_byte() -> None:
    """Names as in its KafkaHeaders; Java's ByteBuffer writes ints and longs big-endian, text is UTF-8."""
    headers = headers_with(raised(PermanentError("no such índex"), cause=TemporaryError("gone")))
    trace = headers.pop("kafka_dlt-exception-stacktrace")
    assert headers == {
        "kafka_dlt-original-topic": b"stage.thoth.adviser-trigger",
        "kafka_dlt-original-partition": b"\x00\x00\x00\x05",
        "kafka_dlt-original-offset": b"\x00\x00\x00\x00\x00\x00\x01\x2c",
        "kafka_dlt-original-timestamp": struct.pack(">q", TIME),
        "kafka_dlt-original-timestamp-type": b"CreateTime",
        "kafka_dlt-original-consumer-group": b"group",
        "kafka_dlt-exception-fqcn": b"investigator.delivery.errors.PermanentError",
        "kafka_dlt-exception-cause-fqcn": b"investigator.delivery.errors.TemporaryError",
        "kafka_dlt-exception-message": "no such índex".encode(),
        "retry_topic-attempts": b"\x00\x00\x00\x05",
    }
    assert b"in raised" in trace
    assert trace.rstrip().endswith("PermanentError: no such índex".encode())


def test_an_error_without_a_cause_names_none() -> None:
    """As spring-kafka does."""
    assert "kafka_dlt-exception-cause-fqcn" not in headers_with()


@pytest.mark.parametrize(("kind", "name"), [(0, b"CreateTime"), (1, b"LogAppendTime"), (-1, b"NoTimestampType")])
def test_the_timestamp_type_is_named_as_kafka_names_it(kind: int, name: bytes) -> None:
    """Java's TimestampType has these three names."""
    assert headers_with(of=delivery(timestamp_type=kind))["kafka_dlt-original-timestamp-type"] == name


@pytest.mark.parametrize("timestamp_ms", [-1, -(2**63), 0, 2**63 - 1, 2**63])
def test_a_message_with_any_timestamp_can_become_a_dead_letter(timestamp_ms: int) -> None:
    """A producer may set any number."""
    written = headers_with(of=delivery(timestamp_ms=timestamp_ms))["kafka_dlt-original-timestamp"]
    assert struct.unpack(">q", written) == (min(timestamp_ms, 2**63 - 1),)


def test_the_own_headers_of_the_message_are_unchanged() -> None:
    """They stay in their order, with repeated names and any bytes."""
    own = (("trace-id", b"\xff\x00"), ("trace-id", b"2"), ("", b""))
    assert dead_letter_headers(delivery(own), raised(ValueError()), "group")[:3] == own


def test_long_texts_are_cut_where_they_say_least() -> None:
    """The start of an error's text and the end of a stack trace stay; the record stays within the broker's limit."""
    headers = headers_with(raised(ValueError("first " + "ä" * 100_000 + " last")))
    message, trace = headers["kafka_dlt-exception-message"], headers["kafka_dlt-exception-stacktrace"]
    assert message.decode().startswith("first ää")
    assert trace.decode().rstrip().endswith("ä last")
    assert max(len(message), len(trace)) <= 8192


def test_a_dead_letter_contains_no_password_not_even_a_part_of_one() -> None:
    """Texts are redacted before they are cut, so that no half of a password is left."""
    secret = "s3cret" * 20
    failure = raised(ValueError("x" * 8150 + secret), cause=ValueError(secret))
    headers = dead_letter_headers(delivery(), failure, "group", lambda text: text.replace(secret, "***"))
    assert not [name for name, value in headers if b"3cret" in (value or b"")]


class UnreadableError(Exception):
    """An error without a readable text."""

    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize("error", [UnreadableError(), ValueError("\ud800"), ValueError()])
def test_any_error_can_be_published(error: Exception) -> None:
    """Even one without a text, with a text that no encoding can represent, or whose text cannot be read."""
    assert headers_with(raised(error))["kafka_dlt-exception-fqcn"].decode().endswith(type(error).__name__)


def test_a_replay_that_fails_again_names_its_first_origin_and_its_last_error() -> None:
    """However often it is replayed, it stays the same message."""
    first = dead_letter_headers(delivery(), raised(ValueError("first")), "first group")
    second = Delivery(
        "thoth.adviser-trigger",
        Partition(TOPIC, 1),
        7,
        None,
        Origin(TOPIC, 1, 7, TIME + 1),
        list,
        b"",
        (*first, (REPLAYS, b"\x00\x00\x00\x01")),
    )
    headers = headers_with(raised(KeyError("second")), second)
    assert headers["kafka_dlt-original-offset"] == struct.pack(">q", 300)
    assert headers["kafka_dlt-original-partition"] == struct.pack(">i", 5)
    assert headers["kafka_dlt-exception-message"] == b"'second'"
    assert headers["kafka_dlt-original-consumer-group"] == b"group"


@pytest.mark.parametrize("doubled", [1, 2])
def test_a_message_that_names_another_origin_becomes_a_dead_letter_with_its_own(doubled: int) -> None:
    """Otherwise a replay would take the identity of the message that its producer named. Its headers stay beside it."""
    other = Delivery("topic", Partition(TOPIC, 0), 3, None, Origin(TOPIC, 0, 3, TIME), list)
    forged = dead_letter_headers(other, raised(ValueError("first")), "group")[:5] * doubled
    own = replace(delivery(), headers=forged)
    headers = dead_letter_headers(own, raised(ValueError("bad")), "group")
    assert headers[: len(forged)] == forged
    assert origin_from_headers(headers) == own.origin
    again = replace(own, headers=(*headers, (REPLAYS, b"\x00\x00\x00\x01")))
    assert origin_from_headers(dead_letter_headers(again, raised(ValueError("bad")), "group")) == own.origin


@given(
    topic=st.text(min_size=1),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp=st.integers(-(2**63), 2**63 - 1),
)
def test_a_replay_has_the_identity_of_the_original(topic: str, partition: int, offset: int, timestamp: int) -> None:
    """Any origin survives in the headers."""
    origin = Origin(topic, partition, offset, timestamp)
    original = Delivery("topic", Partition(topic, partition), offset, None, origin, list)
    headers = dead_letter_headers(original, raised(ValueError()), "group")
    assert origin_of_replay(headers) is None, "a dead letter that was not sent again is no replay"
    assert origin_of_replay((*headers, (REPLAYS, b"\x00\x00\x00\x01"))) == origin


NAMES = [f"kafka_dlt-original-{name}" for name in ("topic", "partition", "offset", "timestamp")]


@given(
    headers=st.lists(st.tuples(st.sampled_from([*NAMES, REPLAYS, "other"]) | st.text(), st.binary(max_size=9))),
    sizes=st.lists(st.integers(0, 9), min_size=4, max_size=4),
)
def test_no_header_of_another_producer_stops_a_message(headers: list[tuple[str, bytes]], sizes: list[int]) -> None:
    """Any bytes in these headers cause no error, and yield only an origin that can exist."""
    malformed = [(REPLAYS, b""), *((name, b"\x01" * size) for name, size in zip(NAMES, sizes, strict=True)), *headers]
    for each in (tuple(headers), tuple(malformed)):
        origin = origin_of_replay(each)
        if origin is not None:
            assert origin.topic
            assert 0 <= origin.partition < 2**31
            assert 0 <= origin.offset < 2**63


LIMIT = DeadLetterLimit(max_consecutive=3, max_ratio=0.5, window=10)


def test_consecutive_dead_letters_are_limited() -> None:
    """After a bad deployment every message fails: the topic is halted before all of it becomes dead letters."""
    assert not LIMIT.is_exceeded([False, True, False, False])
    assert LIMIT.is_exceeded([True, False, False, False])


def test_the_ratio_of_dead_letters_is_limited() -> None:
    """Successes in between do not hide a high ratio; a few messages are no sample."""
    assert LIMIT.is_exceeded([True, False] * 5)
    assert not LIMIT.is_exceeded([True, False] * 4)
    assert not LIMIT.is_exceeded([True, True, False] * 10)


def test_the_limit_is_per_topic_and_restarts_after_a_halt() -> None:
    """One topic's trouble halts that topic; after its resume it has its whole allowance again."""
    limiter = DeadLetterLimiter(LIMIT)
    for _ in range(3):
        assert limiter.allow_dead_letter("one")
        limiter.record("one", handled=False)
    assert limiter.allow_dead_letter("other")
    assert not limiter.allow_dead_letter("one")
    assert limiter.allow_dead_letter("one")


def test_only_the_last_outcomes_count() -> None:
    """A worker that runs for months judges by the present, and stores no more than that."""
    limiter = DeadLetterLimiter(LIMIT)
    for _ in range(1000):
        limiter.record("one", handled=True)
    for _ in range(3):
        limiter.record("one", handled=False)
    assert not limiter.allow_dead_letter("one")

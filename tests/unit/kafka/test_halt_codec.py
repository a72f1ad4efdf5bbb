# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the halt log as bytes: ours survive, any other content raises InvalidRecordError and nothing else."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.halts import FailedMessage, HaltKey, HaltRecord, Outcome, ResumeAction, Settlement
from investigator.delivery.origin import MessagePosition
from investigator.kafka.halt_codec import decode_entry, decode_key, encode_entry, encode_key, marker_key
from investigator.kafka.log_records import InvalidRecordError

GROUP, TOPIC = "investigator-backend", "adviser-trigger"
CAUSE = FailedMessage(3, 17, 1_600_000_000_000, "ValueError: no such thing", 5)
KEY = HaltKey(TOPIC, CAUSE.position)
VALUE = {"since": 1.5, "by": "me", "cause": vars(CAUSE), "action": None}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
causes = st.builds(
    FailedMessage,
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**63),
    texts,
    st.integers(0, 99),
)
seconds = st.floats(0, 10**11)
records = st.one_of(
    st.builds(HaltRecord, seconds, texts),
    st.builds(HaltRecord, seconds, texts, causes, st.none() | st.sampled_from(ResumeAction), st.integers(0, 9)),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def key_of(record: HaltRecord) -> HaltKey:
    """Return the key of a record."""
    return HaltKey(TOPIC, None if record.cause is None else record.cause.position)


@settings(deadline=None)
@given(record=records)
def test_a_record_is_read_as_it_was_written(record: HaltRecord) -> None:
    """Key and value."""
    value, headers = encode_entry(record)
    key = decode_key(encode_key(GROUP, key_of(record)), GROUP)
    assert key == key_of(record)
    assert decode_entry(key, value, headers) == record


@pytest.mark.parametrize("error", ["\ud800 alone", "x" * 100_000, "\U0001f600" * 5000, "\0"])
def test_any_error_text_can_be_read_back(error: str) -> None:
    """A halt whose record can't be read would be lost for all other workers."""
    value, headers = encode_entry(HaltRecord(1, error, replace(CAUSE, error=error)))
    entry = decode_entry(KEY, value, headers)
    assert isinstance(entry, HaltRecord)
    assert entry.cause is not None
    assert entry.cause.error[-1] in (error[-1], "?")


@pytest.mark.parametrize("outcome", Outcome)
def test_a_tombstone_says_what_became_of_its_message(outcome: Outcome) -> None:
    """An operator on another worker waits for that."""
    value, headers = encode_entry(Settlement(outcome))
    assert value is None
    assert decode_entry(KEY, None, headers) == Settlement(outcome)


@pytest.mark.parametrize("headers", [(), (("outcome", None),), (("outcome", b"\xff"),), (("other", b"skipped"),)])
def test_a_tombstone_of_another_producer_deletes_the_key(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    """That is what a record without a value means in a compacted topic."""
    assert decode_entry(KEY, None, headers) is None


@pytest.mark.parametrize("key", [marker_key(GROUP), encode_key("another", KEY), b'["another"]'])
def test_markers_and_records_of_other_groups_are_no_halts(key: bytes) -> None:
    """Groups share the log."""
    assert decode_key(key, GROUP) is None


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b"null",
        b'"g"',
        b"[" * 100_000,
        b'["g",["x"]]',
        b'["g",{"x":1}]',
        b'["g",null]',
        b'["g","x",1]',
        b'["g","x",1,2]',
        b'["g","x",1,2,3,4]',
        b'["g","x","1","2","3"]',
        b'["g","x",1.5,2,3]',
        b'["g","x",true,2,3]',
        b'["g","x",-1,2,3]',
        b'["g","x",1,' + b"9" * 5000 + b",3]",
        b'["g","' + b"x" * 70_000 + b'"]',
        b'["g","\\ud800"]',
        '["g","x"]'.encode("utf-16"),
    ],
    ids=lambda key: repr(key)[:30],
)
def test_a_key_that_is_none_of_ours_is_invalid(key: bytes | None) -> None:
    """The text of the error is safe to log."""
    with pytest.raises(InvalidRecordError, match="the key is not that of a halt"):
        decode_key(key, "g")


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("since", "yesterday"),
        ("since", float("nan")),
        ("since", float("inf")),
        ("since", 1e300),
        ("since", 10**400),
        ("since", -1),
        ("since", True),
        ("since", None),
        ("by", None),
        ("by", ["me"]),
        ("by", "x" * 1001),
        ("cause", None),
        ("cause", 7),
        ("cause", {"offset": 1}),
        ("cause", {**vars(CAUSE), "offset": 18}),
        ("cause", {**vars(CAUSE), "attempts": "5"}),
        ("cause", {**vars(CAUSE), "error": None}),
        ("cause", {**vars(CAUSE), "error": "secret" * 1000}),
        ("action", "forget"),
        ("action", 1),
        ("action", ["skip"]),
        ("failure_offset", "1"),
        ("failure_offset", -1),
    ],
)
def test_a_field_of_another_type_or_size_is_invalid(field: str, content: object) -> None:
    """The error names the field, and not what it holds."""
    with pytest.raises(InvalidRecordError) as raised:
        decode_entry(KEY, json.dumps({**VALUE, field: content}).encode(), ())
    assert field in str(raised.value) or "different messages" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "value", [b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b"1e999", b"NaN"]
)
def test_a_value_that_is_no_object_of_ours_is_invalid(value: bytes) -> None:
    """Deep nesting too, which ended workers by a RecursionError."""
    with pytest.raises(InvalidRecordError):
        decode_entry(KEY, value, ())


def test_a_decision_about_no_message_is_invalid() -> None:
    """It would be no reason to halt the topic, and about nothing."""
    value = json.dumps({**VALUE, "cause": None, "action": "skip"}).encode()
    with pytest.raises(InvalidRecordError, match="a decision about no message"):
        decode_entry(HaltKey(TOPIC), value, ())


def test_unknown_fields_are_allowed() -> None:
    """A later version may add some; an earlier one, during the update, reads the rest."""
    value = json.dumps({**VALUE, "cause": {**vars(CAUSE), "new": 1}, "new": {"x": [1]}}).encode()
    assert decode_entry(KEY, value, ()) == HaltRecord(1.5, "me", CAUSE)


def decode(key: bytes | None, value: bytes | None, headers: Any) -> object:  # noqa: ANN401  anything at all
    """Decode a record whatever it is."""
    found = decode_key(key, GROUP)
    return None if found is None else decode_entry(found, value, headers)


json_bytes = anything.map(lambda content: json.dumps(content).encode())
near_values = st.fixed_dictionaries({}, optional=dict.fromkeys([*VALUE, "failure_offset"], anything)).map(
    lambda fields: json.dumps({**VALUE, **fields}).encode()
)
near_keys = st.lists(anything, max_size=5).map(lambda rest: json.dumps([GROUP, *rest]).encode())


@settings(max_examples=300, deadline=None)
@given(
    key=st.none() | st.binary() | json_bytes | near_keys | st.just(encode_key(GROUP, KEY)),
    value=st.none() | st.binary() | json_bytes | near_values,
    headers=st.lists(st.tuples(st.text(), st.none() | st.binary())),
)
def test_no_record_raises_another_error(key: bytes | None, value: bytes | None, headers: Any) -> None:  # noqa: ANN401  same
    """A reader passes over InvalidRecordError; any other error would end every worker of the group, for ever."""
    try:
        entry = decode(key, value, headers)
    except InvalidRecordError:
        return
    if isinstance(entry, HaltRecord):
        assert 0 <= entry.since < 10**12
        assert MessagePosition(*entry.cause.position) if entry.cause else entry.action is None

# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the replay log as bytes: ours survive, other content raises InvalidRecordError, and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.origin import Origin
from investigator.kafka.log_records import InvalidRecordError
from investigator.kafka.replay_codec import Replayed, decode_key, decode_value, encode_key, encode_value

VALUE = {"at": 1.5, "by": "operator", "partition": 2, "offset": 9}

origins = st.builds(
    Origin,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**63),
)


@settings(deadline=None)
@given(position=origins, at=st.floats(0, 10**11), by=st.text())
def test_a_record_is_read_as_it_was_written(position: Origin, at: float, by: str) -> None:
    """A name may hold any text; characters that UTF-8 does not have are replaced."""
    assert decode_key(encode_key(position)) == position
    read = decode_value(encode_value(Replayed(at, by, 1, 2)))
    assert (read.at, read.partition, read.offset) == (at, 1, 2)
    assert read.by == by.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "key",
    [None, b"", b"/", b"topic/1/2", b"topic/a/1/2", b"/1/2/3", b"\xff/1/2/3", b"t/1/2/" + b"9" * 9000, b"t/-1/2/3"],
)
def test_a_key_that_names_no_dead_letter_is_invalid(key: bytes | None) -> None:
    """Another producer may write anything."""
    with pytest.raises(InvalidRecordError):
        decode_key(key)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b"[" * 100_000,
        *(
            json.dumps({**VALUE, **wrong}).encode()
            for wrong in (
                {"at": "x"},
                {"at": float("nan")},
                {"at": 1e300},
                {"by": 1},
                {"partition": "2"},
                {"offset": -1},
            )
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_is_no_replay_is_invalid(value: bytes | None) -> None:
    """A tombstone too."""
    with pytest.raises(InvalidRecordError):
        decode_value(value)


def test_unknown_fields_are_allowed() -> None:
    """A later version may add some."""
    assert decode_value(json.dumps({**VALUE, "new": [1]}).encode()) == Replayed(1.5, "operator", 2, 9)


@settings(deadline=None)
@given(key=st.binary(), value=st.none() | st.binary())
def test_no_record_raises_another_error(key: bytes, value: bytes | None) -> None:
    """A reader passes over InvalidRecordError; any other error would end every command about dead letters."""
    for decode, content in ((decode_key, key), (decode_value, value)):
        try:
            decode(content)
        except InvalidRecordError:
            continue

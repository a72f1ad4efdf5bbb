# SPDX-License-Identifier: GPL-3.0-or-later
"""The offsets finished after a commit are stored in Kafka as text, and read back."""

from hypothesis import assume, given
from hypothesis import strategies as st

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.ledger import CommitPosition


@given(offset=st.integers(0, 2**62), distances=st.frozensets(st.integers(1, 1000)))
def test_a_position_is_decoded_as_it_was_encoded(offset: int, distances: frozenset[int]) -> None:
    """Offsets within the bound on the offset lead survive, in far fewer characters than a broker accepts."""
    position = CommitPosition(offset, frozenset(offset + distance for distance in distances))
    text = encode(position)
    assert decode(offset, text) == position
    assert len(text) < 200


@given(distances=st.frozensets(st.integers(1, 10**6), max_size=20))
def test_the_text_is_never_longer_than_a_broker_accepts(distances: frozenset[int]) -> None:
    """Offsets too far after the commit are left out: they may be redelivered, but the commit succeeds."""
    text = encode(CommitPosition(0, distances))
    assert len(text) <= 4096
    assert decode(0, text).finished <= distances


FOREIGN = st.none() | st.text() | st.text().map("finished2:5:".__add__)


@given(text=FOREIGN | st.from_regex(r"finished[12]:(5:)?[A-Za-z0-9+/=]*"))
def test_the_text_of_another_tool_is_no_error(text: str | None) -> None:
    """Other tools write their own metadata into commits; the partition can be consumed whatever they wrote."""
    assert decode(5, text).offset == 5


@given(offset=st.integers(0, 2**62), other=st.integers(0, 2**62), distances=st.frozensets(st.integers(1, 100)))
def test_a_text_beside_another_offset_says_nothing(offset: int, other: int, distances: frozenset[int]) -> None:
    """MirrorMaker 2 translates the offset and copies the text; relative to the new offset, it would lose messages."""
    assume(offset != other)
    text = encode(CommitPosition(offset, frozenset(offset + distance for distance in distances)))
    assert decode(other, text) == CommitPosition(other, frozenset())


def test_the_format_of_earlier_workers_is_read() -> None:
    """In a rolling upgrade, a new worker takes partitions over from old ones, and must not handle messages again."""
    assert decode(5, "finished1:BQ==") == CommitPosition(5, frozenset({6, 8}))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The offsets finished after a commit are stored in Kafka as text, and read back."""

from hypothesis import given
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


@given(text=st.text() | st.text().map("finished1:".__add__) | st.from_regex(r"finished1:[A-Za-z0-9+/=]*"))
def test_the_text_of_another_tool_is_no_error(text: str) -> None:
    """Other tools write their own metadata into commits; the partition can be consumed whatever they wrote."""
    assert decode(5, text).offset == 5

# SPDX-License-Identifier: GPL-3.0-or-later
"""What was finished beyond a commit goes through Kafka as a text and comes back."""

from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.ledger import CommitPosition


@given(offset=st.integers(0, 2**62), ahead=st.frozensets(st.integers(1, 1000)))
def test_what_was_finished_comes_back_as_it_was_written(offset: int, ahead: frozenset[int]) -> None:
    """Any offsets within the bound on what runs ahead survive, in far fewer characters than a broker takes."""
    position = CommitPosition(offset, frozenset(offset + position for position in ahead))
    text = encode(position)
    assert decode(offset, text) == position
    assert len(text) < 200


@given(ahead=st.frozensets(st.integers(1, 10**6), max_size=20))
def test_a_text_is_never_longer_than_a_broker_takes(ahead: frozenset[int]) -> None:
    """What lies too far ahead is left out, and would be done again, rather than every commit be refused."""
    text = encode(CommitPosition(0, ahead))
    assert len(text) <= 4096
    assert decode(0, text).finished <= ahead


@given(text=st.text() | st.text().map("finished1:".__add__) | st.from_regex(r"finished1:[A-Za-z0-9+/=]*"))
def test_a_text_of_somebody_else_is_no_error(text: str) -> None:
    """Other tools write metadata of their own into commits; a partition is usable whatever they wrote."""
    assert decode(5, text).offset == 5

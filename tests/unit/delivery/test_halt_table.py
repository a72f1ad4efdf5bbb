# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of halts says, and how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.halts import Cause, Entry, Halts, Register, Verb, halt_of
from investigator.delivery.origin import Place

TOPIC = "adviser-trigger"
CAUSE = Cause(3, 17, 1_600_000_000_000, "ValueError: no such thing", 5)

causes = st.builds(Cause, st.integers(0), st.integers(0), st.integers(), st.text(), st.integers(0))
entries = st.builds(
    Entry,
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.none() | causes,
    st.none() | st.sampled_from(Verb),
)


@given(entry=entries)
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    """Any error text, of any script, lone surrogates included, comes back from the log as it was."""
    assert Entry.from_json(entry.to_json()) == entry


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'"since"',
        b'{"since": 1, "by": "me", "cause": {"offset": 1}, "verb": null}',
        b'{"since": 1, "by": "me", "cause": 7, "verb": null}',
        b'{"since": 1, "by": "me", "cause": null, "verb": "forget"}',
    ],
)
def test_what_is_no_entry_is_refused(value: bytes) -> None:
    """A record that somebody else wrote raises what the reader of the log expects, and nothing else."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        Entry.from_json(value)


def test_a_halt_names_all_its_causes_and_the_first_of_them_says_since_when() -> None:
    """Two messages and an operator may halt a topic: all are told, in the order in which they did."""
    other = Cause(0, 4, 0, "OSError: gone", 1)
    reasons = [Entry(20, "worker b", other), Entry(10, "worker a", CAUSE), Entry(30, "operator")]
    halt = halt_of(TOPIC, reasons)
    assert halt is not None
    assert (halt.since, halt.by, halt.causes) == (10, "worker a", (CAUSE, other))


def test_a_topic_without_a_reason_is_not_halted() -> None:
    """A message about which was decided is no reason to halt any more."""
    assert halt_of(TOPIC, [Entry(1, "operator", CAUSE, Verb.SKIP)]) is None


def test_the_last_record_of_a_register_holds() -> None:
    """A halt, a decision and the clearing of the register follow each other; other registers are not touched."""
    halts, register = Halts(), Register(TOPIC, CAUSE.place)
    halts.apply(Register(TOPIC), Entry(0, "operator"))
    halts.apply(register, Entry(1, "worker", CAUSE))
    assert halts.decision(register) is None
    halts.apply(register, Entry(2, "operator", CAUSE, Verb.SKIP))
    assert halts.decision(register) == (Verb.SKIP, CAUSE)
    halts.apply(register, None)
    assert halts.decision(register) is None
    assert list(halts.entries(TOPIC)) == [None]


def test_a_decision_is_not_taken_for_one_about_a_later_message_at_the_same_place() -> None:
    """A topic that was deleted and made anew counts from zero again: its message 17 is not the one to be skipped."""
    halts = Halts()
    halts.apply(Register(TOPIC, CAUSE.place), Entry(2, "operator", CAUSE, Verb.SKIP))
    assert halts.decision(Register(TOPIC, Place(3, 17, 1_700_000_000_000))) is None

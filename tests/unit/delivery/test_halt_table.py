# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of halts says, and how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.halts import FailedMessage, HaltKey, HaltRecord, HaltTable, ResumeAction, summarize
from investigator.delivery.origin import MessagePosition

TOPIC = "adviser-trigger"
CAUSE = FailedMessage(3, 17, 1_600_000_000_000, "ValueError: no such thing", 5)

causes = st.builds(FailedMessage, st.integers(0), st.integers(0), st.integers(), st.text(), st.integers(0))
records = st.builds(
    HaltRecord,
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.none() | causes,
    st.none() | st.sampled_from(ResumeAction),
)


@given(record=records)
def test_an_entry_is_read_as_it_was_written(record: HaltRecord) -> None:
    """Any error text, of any script, lone surrogates included, comes back from the log as it was."""
    assert HaltRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'"since"',
        b'{"since": 1, "by": "me", "cause": {"offset": 1}, "action": null}',
        b'{"since": 1, "by": "me", "cause": 7, "action": null}',
        b'{"since": 1, "by": "me", "cause": null, "action": "forget"}',
    ],
)
def test_what_is_no_entry_is_refused(value: bytes) -> None:
    """A record that somebody else wrote raises what the reader of the log expects, and nothing else."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        HaltRecord.from_json(value)


def test_a_halt_names_all_its_causes_and_the_first_of_them_says_since_when() -> None:
    """Two messages and an operator may halt a topic: all are told, in the order in which they did."""
    other = FailedMessage(0, 4, 0, "OSError: gone", 1)
    reasons = [HaltRecord(20, "worker b", other), HaltRecord(10, "worker a", CAUSE), HaltRecord(30, "operator")]
    halt = summarize(TOPIC, reasons)
    assert halt is not None
    assert (halt.since, halt.by, halt.causes) == (10, "worker a", (CAUSE, other))


def test_a_topic_without_a_reason_is_not_halted() -> None:
    """A message about which was decided is no reason to halt any more."""
    assert summarize(TOPIC, [HaltRecord(1, "operator", CAUSE, ResumeAction.SKIP)]) is None


def test_the_last_record_of_a_register_holds() -> None:
    """A halt, a decision and the clearing of the key follow each other; other registers are not touched."""
    halts, key = HaltTable(), HaltKey(TOPIC, CAUSE.position)
    halts.apply(HaltKey(TOPIC), HaltRecord(0, "operator"))
    halts.apply(key, HaltRecord(1, "worker", CAUSE))
    assert halts.decision_for(key) is None
    halts.apply(key, HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP))
    assert halts.decision_for(key) == (ResumeAction.SKIP, CAUSE)
    halts.apply(key, None)
    assert halts.decision_for(key) is None
    assert list(halts.records(TOPIC)) == [None]


def test_a_decision_is_not_taken_for_one_about_a_later_message_at_the_same_place() -> None:
    """A topic that was deleted and made anew counts from zero again: its message 17 is not the one to be skipped."""
    halts = HaltTable()
    halts.apply(HaltKey(TOPIC, CAUSE.position), HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP))
    assert halts.decision_for(HaltKey(TOPIC, MessagePosition(3, 17, 1_700_000_000_000))) is None

# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the halt log, and the table that they add up to."""

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
def test_a_record_is_read_as_it_was_written(record: HaltRecord) -> None:
    """Any error text, of any script, lone surrogates included, survives in the log."""
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
def test_a_value_that_is_no_halt_record_is_refused(value: bytes) -> None:
    """The record of another producer raises what the reader of the log expects, and nothing else."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        HaltRecord.from_json(value)


def test_a_halt_names_all_its_causes_and_the_time_of_the_first() -> None:
    """Two messages and an operator may halt a topic; the causes are in the order of their times."""
    other = FailedMessage(0, 4, 0, "OSError: gone", 1)
    reasons = [HaltRecord(20, "worker b", other), HaltRecord(10, "worker a", CAUSE), HaltRecord(30, "operator")]
    halt = summarize(TOPIC, reasons)
    assert halt is not None
    assert (halt.since, halt.by, halt.causes) == (10, "worker a", (CAUSE, other))


def test_a_topic_without_a_reason_is_not_halted() -> None:
    """A message about which an operator decided no longer halts its topic."""
    assert summarize(TOPIC, [HaltRecord(1, "operator", CAUSE, ResumeAction.SKIP)]) is None


def test_the_latest_record_of_a_key_wins() -> None:
    """A halt, a decision and a tombstone follow each other; other keys are not affected."""
    table, key = HaltTable(), HaltKey(TOPIC, CAUSE.position)
    table.apply(HaltKey(TOPIC), HaltRecord(0, "operator"))
    table.apply(key, HaltRecord(1, "worker", CAUSE))
    assert table.decision_for(key) is None
    table.apply(key, HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP))
    assert table.decision_for(key) == (ResumeAction.SKIP, CAUSE)
    table.apply(key, None)
    assert table.decision_for(key) is None
    assert list(table.records(TOPIC)) == [None]


def test_a_decision_does_not_apply_to_a_later_message_at_the_same_offset() -> None:
    """A topic that was deleted and recreated counts its offsets from zero again: its message 17 is another one."""
    table = HaltTable()
    table.apply(HaltKey(TOPIC, CAUSE.position), HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP))
    assert table.decision_for(HaltKey(TOPIC, MessagePosition(3, 17, 1_700_000_000_000))) is None

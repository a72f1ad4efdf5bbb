# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the halt log, and the table that they add up to."""

import pytest

from investigator.delivery.halts import (
    FailedMessage,
    HaltKey,
    HaltRecord,
    HaltTable,
    LogEntry,
    Outcome,
    ResumeAction,
    Settlement,
    summarize,
)
from investigator.delivery.origin import MessagePosition

TOPIC = "adviser-trigger"
CAUSE = FailedMessage(3, 17, 1_600_000_000_000, "ValueError: no such thing", 5)
OTHER_CAUSE = FailedMessage(3, 18, 1_600_000_000_000, "ValueError: no such thing", 5)
KEY, OTHER_KEY = HaltKey(TOPIC, CAUSE.position), HaltKey(TOPIC, OTHER_CAUSE.position)


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


def table_of(*entries: tuple[HaltKey, LogEntry, int]) -> tuple[HaltTable, list[bool]]:
    """Return a table that has read these entries, and which of them it took."""
    table = HaltTable()
    return table, [table.apply(*entry) for entry in entries]


def test_the_latest_record_of_a_key_wins() -> None:
    """A halt, a decision and a tombstone follow each other; other keys are not affected."""
    table, _ = table_of((HaltKey(TOPIC), HaltRecord(0, "operator"), 0), (KEY, HaltRecord(1, "worker", CAUSE), 1))
    assert table.records(TOPIC)[KEY.position].halts
    table.apply(KEY, HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP, 1), 2)
    assert table.records(TOPIC)[KEY.position].action is ResumeAction.SKIP
    table.apply(KEY, None, 3)
    assert list(table.records(TOPIC)) == [None]
    table.apply(HaltKey(TOPIC), None, 4)
    assert not table.topics()


def decision(failure_offset: int | None) -> HaltRecord:
    """Return a decision about the message that names that offset of the log."""
    return HaltRecord(2, "operator", CAUSE, ResumeAction.SKIP, failure_offset)


@pytest.mark.parametrize(
    ("failure_offset", "at"),
    [(None, 7), (3, 7), (0, 7), (7, 7), (8, 7), (2**62, 7), (-1, 7), (4, 7)],
)
def test_a_decision_about_a_message_that_had_not_failed_is_ignored(failure_offset: int | None, at: int) -> None:
    """Whatever offset it names: none, that of another record, its own, one to come. The failure then counts."""
    table, taken = table_of(
        *((HaltKey(TOPIC), None, offset) for offset in range(4)),
        (OTHER_KEY, HaltRecord(1, "worker", OTHER_CAUSE), 4),
        (HaltKey(TOPIC), None, 5),
        (KEY, decision(failure_offset), at),
        (KEY, HaltRecord(3, "worker", CAUSE), at + 1),
    )
    assert taken[-2:] == [False, True]
    assert table.records(TOPIC)[KEY.position].halts


def test_a_decision_counts_where_compaction_removed_the_failure() -> None:
    """A worker that starts later reads the decision only, after records that are missing."""
    table, taken = table_of((HaltKey(TOPIC), None, 3), (HaltKey("other"), None, 6), (KEY, decision(5), 9))
    assert taken[-1]
    assert table.records(TOPIC)[KEY.position].failure_offset == 5


def test_a_late_decision_counts_after_its_message_was_settled() -> None:
    """Two operators may resume a topic at the same moment; the owner of the message then clears its record again."""
    _, taken = table_of(
        (KEY, HaltRecord(1, "worker", CAUSE), 0), (KEY, Settlement(Outcome.HANDLED), 1), (KEY, decision(0), 2)
    )
    assert taken[-1]


def test_a_decision_does_not_apply_to_a_later_message_at_the_same_offset() -> None:
    """A topic that was deleted and recreated counts its offsets from zero again: its message 17 is another one."""
    table, _ = table_of((KEY, HaltRecord(1, "worker", CAUSE), 0), (KEY, decision(0), 1))
    assert MessagePosition(3, 17, 1_700_000_000_000) not in table.records(TOPIC)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The offset to commit, in whatever order messages finish and partitions are assigned and revoked."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.ledger import AckToken, CommitPosition, Ledger, Partition

MAX_OFFSET_LEAD = 6
ONE, OTHER = PARTITIONS = (Partition("adviser-trigger", 0), Partition("adviser-trigger", 1))


def accepted(ledger: Ledger, *offsets: int, partition: Partition = ONE) -> list[AckToken]:
    """Accept these offsets, none of which the ledger may refuse."""
    tokens = [ledger.accept(partition, offset) for offset in offsets]
    assert None not in tokens
    return [token for token in tokens if token is not None]


def assigned_ledger(*, max_offset_lead: int = 1000) -> Ledger:
    """Return a ledger to which both partitions are assigned."""
    ledger = Ledger(max_offset_lead)
    for partition in PARTITIONS:
        ledger.assign(partition)
    return ledger


def test_the_first_unfinished_offset_is_committed_however_many_later_ones_are_finished() -> None:
    """Offset 0 is in flight while 1 to 5 are finished: nothing after 0 may be committed, as Faust would (6)."""
    ledger = assigned_ledger()
    first, *others = accepted(ledger, 0, 1, 2, 3, 4, 5)
    for token in others:
        ledger.finish(token)
    assert ledger.committable() == {ONE: CommitPosition(0, frozenset({1, 2, 3, 4, 5}))}
    ledger.finish(first)
    assert ledger.committable() == {ONE: CommitPosition(6)}


def test_a_commit_passes_a_gap_in_the_offsets_only_after_finished_messages() -> None:
    """Missing offsets (compacted, expired, control records) delay nothing and hide nothing unfinished."""
    ledger = assigned_ledger()
    tokens = accepted(ledger, 10, 500, 501)
    ledger.finish(tokens[1])
    assert ledger.commit_offset(ONE) == 10
    ledger.finish(tokens[0])
    assert ledger.commit_offset(ONE) == 501


def test_a_gap_wider_than_the_bound_does_not_stop_the_partition() -> None:
    """With nothing unfinished the next offset may be any distance further on: nothing would ever make room for it."""
    ledger = assigned_ledger(max_offset_lead=10)
    ledger.finish(*accepted(ledger, 5))
    assert ledger.has_room(ONE, 1_000_000)
    accepted(ledger, 1_000_000)
    assert ledger.commit_offset(ONE) == 1_000_000


def test_the_offset_lead_is_bounded() -> None:
    """At most `max_offset_lead` offsets are accepted, counted from the first unfinished one."""
    ledger = assigned_ledger(max_offset_lead=10)
    first, *others = accepted(ledger, *range(10))
    for token in others:
        ledger.finish(token)
    assert not ledger.has_room(ONE, 10)
    assert ledger.has_room(OTHER, 10), "each partition has its own bound"
    ledger.finish(first)
    assert ledger.has_room(ONE, 10)


def test_a_repeated_offset_within_an_assignment_is_refused() -> None:
    """A consumer that seeks back delivers messages in flight or finished: neither is processed twice."""
    ledger = assigned_ledger()
    ledger.finish(accepted(ledger, 3, 4)[1])
    assert [ledger.accept(ONE, offset) for offset in (3, 4)] == [None, None]
    assert ledger.commit_offset(ONE) == 3


def test_unfinished_offsets_are_accepted_again_in_the_next_assignment() -> None:
    """Results of the previous assignment have no effect on them."""
    ledger = assigned_ledger()
    (old,) = accepted(ledger, 7)
    ledger.revoke(ONE)
    assert ledger.accept(ONE, 7) is None, "not assigned in between"
    ledger.assign(ONE)
    accepted(ledger, 7)
    ledger.finish(old)
    assert not ledger.is_valid(old)
    assert ledger.commit_offset(ONE) == 7


def test_a_start_offset_is_committed_before_any_message_and_never_replaces_a_later_commit() -> None:
    """A group that starts at the end of a topic has to find that offset again, on any worker."""
    ledger = assigned_ledger()
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {ONE: CommitPosition(30)}
    (token,) = accepted(ledger, 30)
    ledger.finish(token)
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {ONE: CommitPosition(31)}
    ledger.revoke(ONE)
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {}


def test_only_positions_that_changed_since_the_last_commit_are_committed() -> None:
    """An idle worker sends no commits."""
    ledger = assigned_ledger()
    ledger.finish(*accepted(ledger, 0))
    assert ledger.committable() == {ONE: CommitPosition(1)}
    ledger.record_commit(ONE, CommitPosition(1))
    assert ledger.committable() == {}


@dataclass
class Expected:
    """The messages of a partition within an assignment, as plain sets."""

    seen: list[int] = field(default_factory=list)
    unfinished: set[int] = field(default_factory=set)


class LedgerMachine(RuleBasedStateMachine):
    """Assigns, revokes, accepts, finishes and commits in any order, and compares with plain sets."""

    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        """Start with nothing assigned, and with topics whose first offset is not zero."""
        self.ledger = Ledger(MAX_OFFSET_LEAD)
        self.expected: dict[Partition, Expected] = {}
        self.offsets = dict.fromkeys(PARTITIONS, 3)
        self.current: dict[AckToken, Expected] = {}

    @rule(partition=st.sampled_from(PARTITIONS))
    def assign(self, partition: Partition) -> None:
        """Assign a partition, revoked before or not."""
        self.ledger.assign(partition)
        self.expected[partition] = Expected()

    @rule(partition=st.sampled_from(PARTITIONS))
    def revoke(self, partition: Partition) -> None:
        """Revoke a partition; the next assignment starts at its first unfinished message."""
        unfinished = self.expected.pop(partition, Expected()).unfinished
        self.offsets[partition] = min(unfinished, default=self.offsets[partition])
        self.ledger.revoke(partition)

    @rule(target=tokens, partition=st.sampled_from(PARTITIONS), gap=st.integers(0, 2 * MAX_OFFSET_LEAD))
    def accept(self, partition: Partition, gap: int) -> AckToken | None:
        """Accept the next message, some offsets further on, if there is room for it."""
        offset = self.offsets[partition] + gap
        expected = self.expected.get(partition)
        room = self.ledger.has_room(partition, offset)
        if expected is None:
            assert self.ledger.accept(partition, offset) is None
            return None
        assert room == (offset - min(expected.unfinished, default=offset) < MAX_OFFSET_LEAD)
        if not room:
            return None
        token = self.ledger.accept(partition, offset)
        assert token is not None
        expected.seen.append(offset)
        expected.unfinished.add(offset)
        self.offsets[partition] = offset + 1
        self.current[token] = expected
        return token

    @precondition(lambda self: any(expected.seen for expected in self.expected.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Deliver a message of this assignment again."""
        partition = data.draw(st.sampled_from([key for key, expected in self.expected.items() if expected.seen]))
        assert self.ledger.accept(partition, data.draw(st.sampled_from(self.expected[partition].seen))) is None

    @rule(token=tokens)
    def finish(self, token: AckToken | None) -> None:
        """Finish a message of this assignment or of an earlier one, perhaps repeatedly."""
        if token is None:
            return
        is_current = self.expected.get(token.partition) is self.current[token]
        assert self.ledger.is_valid(token) == is_current
        self.ledger.finish(token)
        self.current[token].unfinished.discard(token.offset)

    @rule()
    def finish_all(self) -> None:
        """Finish every message in flight: then everything may be committed."""
        for token in self.current:
            self.finish(token)
        for partition, expected in self.expected.items():
            assert self.ledger.commit_offset(partition) == (expected.seen[-1] + 1 if expected.seen else None)

    @rule()
    def commit(self) -> None:
        """Commit everything that may be committed."""
        for partition, position in self.ledger.committable().items():
            self.ledger.record_commit(partition, position)
        assert self.ledger.committable() == {}

    @invariant()
    def nothing_unfinished_is_passed(self) -> None:
        """Check that no commit passes an unfinished message."""
        assert self.ledger.assigned() == self.expected.keys()
        for partition, position in self.ledger.committable().items():
            expected = self.expected[partition]
            assert position.offset == min(expected.unfinished, default=expected.seen[-1] + 1)
            finished = set(expected.seen) - expected.unfinished
            assert position.finished == {offset for offset in finished if offset > position.offset}


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

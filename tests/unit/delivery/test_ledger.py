# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be committed, whatever the order in which messages finish and partitions come and go."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.ledger import AckToken, CommitPosition, Ledger, Partition

MAX_OFFSET_LEAD = 6
ONE, OTHER = PARTITIONS = (Partition("adviser-trigger", 0), Partition("adviser-trigger", 1))


def taken(ledger: Ledger, *offsets: int, partition: Partition = ONE) -> list[AckToken]:
    """Take up these offsets, each of which is the ledger's to give."""
    tokens = [ledger.accept(partition, offset) for offset in offsets]
    assert None not in tokens
    return [token for token in tokens if token is not None]


def assigned(*, max_offset_lead: int = 1000) -> Ledger:
    """Give a ledger that has both partitions."""
    ledger = Ledger(max_offset_lead)
    for partition in PARTITIONS:
        ledger.assign(partition)
    return ledger


def test_the_first_unfinished_offset_is_committed_however_many_behind_it_are_done() -> None:
    """Offset 0 is in hand while 1 to 5 are done: nothing beyond 0 may be committed, as Faust would (6)."""
    ledger = assigned()
    first, *others = taken(ledger, 0, 1, 2, 3, 4, 5)
    for token in others:
        ledger.finish(token)
    assert ledger.committable() == {ONE: CommitPosition(0, frozenset({1, 2, 3, 4, 5}))}
    ledger.finish(first)
    assert ledger.committable() == {ONE: CommitPosition(6)}


def test_a_gap_in_the_offsets_is_committed_over_only_behind_finished_messages() -> None:
    """Offsets that a topic lacks (compacted, expired, control records) hold nothing up and hide nothing unfinished."""
    ledger = assigned()
    tokens = taken(ledger, 10, 500, 501)
    ledger.finish(tokens[1])
    assert ledger.commit_offset(ONE) == 10
    ledger.finish(tokens[0])
    assert ledger.commit_offset(ONE) == 501


def test_a_gap_wider_than_the_bound_does_not_stop_the_partition_for_ever() -> None:
    """With nothing unfinished the next offset may lie any distance ahead: nobody would come to make room for it."""
    ledger = assigned(max_offset_lead=10)
    ledger.finish(*taken(ledger, 5))
    assert ledger.has_room(ONE, 1_000_000)
    taken(ledger, 1_000_000)
    assert ledger.commit_offset(ONE) == 1_000_000


def test_what_runs_ahead_of_the_first_unfinished_offset_is_bounded() -> None:
    """No more than `max_offset_lead` offsets, counted from the first unfinished one on, are taken up."""
    ledger = assigned(max_offset_lead=10)
    first, *others = taken(ledger, *range(10))
    for token in others:
        ledger.finish(token)
    assert not ledger.has_room(ONE, 10)
    assert ledger.has_room(OTHER, 10), "each partition has a bound of its own"
    ledger.finish(first)
    assert ledger.has_room(ONE, 10)


def test_a_repeat_within_an_assignment_is_not_taken_up() -> None:
    """A consumer that steps back within an assignment brings what is in hand or done: neither is handled twice."""
    ledger = assigned()
    ledger.finish(taken(ledger, 3, 4)[1])
    assert [ledger.accept(ONE, offset) for offset in (3, 4)] == [None, None]
    assert ledger.commit_offset(ONE) == 3


def test_the_next_assignment_brings_the_unfinished_ones_again() -> None:
    """After a rebalance what was unfinished is the ledger's to give again, and old results don't count for it."""
    ledger = assigned()
    (old,) = taken(ledger, 7)
    ledger.revoke(ONE)
    assert ledger.accept(ONE, 7) is None, "not ours in between"
    ledger.assign(ONE)
    taken(ledger, 7)
    ledger.finish(old)
    assert not ledger.is_valid(old)
    assert ledger.commit_offset(ONE) == 7


def test_a_beginning_is_committed_before_any_message_and_never_goes_back_behind_one() -> None:
    """A group that begins with what is new has to find its beginning again, whoever has the partition then."""
    ledger = assigned()
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {ONE: CommitPosition(30)}
    (token,) = taken(ledger, 30)
    ledger.finish(token)
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {ONE: CommitPosition(31)}
    ledger.revoke(ONE)
    ledger.set_start_offset(ONE, 30)
    assert ledger.committable() == {}


def test_only_what_moved_since_the_last_commit_is_committed() -> None:
    """An idle worker has nothing to say to the broker."""
    ledger = assigned()
    ledger.finish(*taken(ledger, 0))
    assert ledger.committable() == {ONE: CommitPosition(1)}
    ledger.record_commit(ONE, CommitPosition(1))
    assert ledger.committable() == {}


@dataclass
class Truth:
    """What really happened to the messages of a partition within an assignment."""

    seen: list[int] = field(default_factory=list)
    unfinished: set[int] = field(default_factory=set)


class LedgerMachine(RuleBasedStateMachine):
    """Assigns, revokes, takes up, finishes and commits in any order, and compares with plain sets."""

    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        """Start with nothing assigned, and with topics whose first offset is not zero."""
        self.ledger = Ledger(MAX_OFFSET_LEAD)
        self.truth: dict[Partition, Truth] = {}
        self.offsets = dict.fromkeys(PARTITIONS, 3)
        self.current: dict[AckToken, Truth] = {}

    @rule(partition=st.sampled_from(PARTITIONS))
    def assign(self, partition: Partition) -> None:
        """Get a partition, with or without having lost it before."""
        self.ledger.assign(partition)
        self.truth[partition] = Truth()

    @rule(partition=st.sampled_from(PARTITIONS))
    def revoke(self, partition: Partition) -> None:
        """Lose a partition; what is unfinished of it comes again from there."""
        unfinished = self.truth.pop(partition, Truth()).unfinished
        self.offsets[partition] = min(unfinished, default=self.offsets[partition])
        self.ledger.revoke(partition)

    @rule(target=tokens, partition=st.sampled_from(PARTITIONS), gap=st.integers(0, 2 * MAX_OFFSET_LEAD))
    def take(self, partition: Partition, gap: int) -> AckToken | None:
        """Take up the next message, some offsets further on, if there is room for it."""
        offset = self.offsets[partition] + gap
        truth = self.truth.get(partition)
        room = self.ledger.has_room(partition, offset)
        if truth is None:
            assert self.ledger.accept(partition, offset) is None
            return None
        assert room == (offset - min(truth.unfinished, default=offset) < MAX_OFFSET_LEAD)
        if not room:
            return None
        token = self.ledger.accept(partition, offset)
        assert token is not None
        truth.seen.append(offset)
        truth.unfinished.add(offset)
        self.offsets[partition] = offset + 1
        self.current[token] = truth
        return token

    @precondition(lambda self: any(truth.seen for truth in self.truth.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """See again what was seen in this assignment."""
        partition = data.draw(st.sampled_from([key for key, truth in self.truth.items() if truth.seen]))
        assert self.ledger.accept(partition, data.draw(st.sampled_from(self.truth[partition].seen))) is None

    @rule(token=tokens)
    def finish(self, token: AckToken | None) -> None:
        """Finish a message of this assignment or of any earlier one, perhaps again."""
        if token is None:
            return
        of_now = self.truth.get(token.partition) is self.current[token]
        assert self.ledger.is_valid(token) == of_now
        self.ledger.finish(token)
        self.current[token].unfinished.discard(token.offset)

    @rule()
    def finish_all(self) -> None:
        """Once everything in hand is finished, all that was seen may be committed."""
        for token in self.current:
            self.finish(token)
        for partition, truth in self.truth.items():
            assert self.ledger.commit_offset(partition) == (truth.seen[-1] + 1 if truth.seen else None)

    @rule()
    def commit(self) -> None:
        """Let the broker have what may be committed."""
        for partition, position in self.ledger.committable().items():
            self.ledger.record_commit(partition, position)
        assert self.ledger.committable() == {}

    @invariant()
    def nothing_unfinished_is_passed(self) -> None:
        """The one thing that must never happen."""
        assert self.ledger.assigned() == self.truth.keys()
        for partition, position in self.ledger.committable().items():
            truth = self.truth[partition]
            assert position.offset == min(truth.unfinished, default=truth.seen[-1] + 1)
            finished = set(truth.seen) - truth.unfinished
            assert position.finished == {offset for offset in finished if offset > position.offset}


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

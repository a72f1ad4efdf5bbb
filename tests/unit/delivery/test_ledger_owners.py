# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition that goes from owner to owner: nothing is lost, and nothing is done again that a commit told of."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.ledger import AckToken, CommitPosition, Ledger, Partition
from tests.unit.delivery.test_ledger import ONE, assigned, taken

PARTITION = Partition("adviser-trigger", 0)
MAX_OFFSET_LEAD = 12


def test_what_was_finished_beyond_the_commit_is_not_done_again_by_the_next_owner() -> None:
    """The commit tells the next owner of the partition what lies done behind it; only the rest is taken up."""
    ledger = assigned()
    for finished in taken(ledger, 3, 4, 5, 6, 7)[1::2]:
        ledger.finish(finished)
    position = ledger.committable()[ONE]
    assert position == CommitPosition(3, frozenset({4, 6}))
    successor = assigned()
    successor.restore(ONE, position)
    mine = [token for offset in range(position.offset, 8) if (token := successor.accept(ONE, offset)) is not None]
    assert [token.offset for token in mine] == [3, 5, 7]
    for token in mine:
        successor.finish(token)
    assert successor.committable()[ONE] == CommitPosition(8)


def test_what_was_finished_earlier_is_not_learned_once_messages_are_in_hand() -> None:
    """A late answer about an earlier commit changes nothing: this assignment knows better."""
    ledger = assigned()
    taken(ledger, 3)
    ledger.restore(ONE, CommitPosition(3, frozenset({4})))
    taken(ledger, 4)


def test_a_commit_in_between_forgets_nothing_of_what_the_last_owner_finished() -> None:
    """What is done stays done when the position comes to lie right before it."""
    ledger = assigned()
    ledger.restore(ONE, CommitPosition(3, frozenset({5, 6, 9})))
    for token in taken(ledger, 3, 4):
        ledger.finish(token)
    assert ledger.committable() == {ONE: CommitPosition(7, frozenset({9}))}
    assert [ledger.accept(ONE, offset) for offset in (5, 6)] == [None, None]
    taken(ledger, 7, 8)
    assert ledger.accept(ONE, 9) is None


def test_who_goes_back_to_before_the_commit_gets_everything() -> None:
    """An operator may rewind a topic, or make it anew: what once was finished at those offsets says nothing then."""
    ledger = assigned()
    ledger.restore(ONE, CommitPosition(100, frozenset({105})))
    taken(ledger, 0)
    assert not ledger.is_finished(ONE, 50)
    taken(ledger, 105)
    assert ledger.commit_offset(ONE) == 0


def test_what_is_done_is_known_without_having_seen_it() -> None:
    """What was committed before this assignment, finished beyond that, or finished since; not what is still to come."""
    ledger = assigned()
    ledger.restore(ONE, CommitPosition(3, frozenset({5})))
    assert [offset for offset in range(8) if ledger.is_finished(ONE, offset)] == [0, 1, 2, 5]
    ledger.finish(taken(ledger, 3, 4)[1])
    assert [offset for offset in range(8) if ledger.is_finished(ONE, offset)] == [0, 1, 2, 4, 5]
    assert not ledger.is_finished(Partition("unknown", 0), 0)


@dataclass
class Owner:
    """Who has the partition: its ledger, what comes next, and what it has in hand."""

    ledger: Ledger
    coming: list[int]
    in_hand: list[AckToken] = field(default_factory=list)
    done: set[int] = field(default_factory=set)


class OwnersMachine(RuleBasedStateMachine):
    """Takes up, finishes, commits, and hands the partition on with or without a last commit."""

    @initialize(gaps=st.lists(st.integers(1, 3), min_size=1, max_size=40))
    def begin(self, gaps: list[int]) -> None:
        """Make a partition some of whose offsets are missing."""
        self.offsets = [sum(gaps[: position + 1]) for position in range(len(gaps))]
        self.committed, self.text = self.offsets[0], ""
        self.done: set[int] = set()
        self.own()

    def own(self) -> None:
        """Become the owner: go to the commit, and read what it tells."""
        ledger = Ledger(MAX_OFFSET_LEAD)
        ledger.assign(PARTITION)
        ledger.restore(PARTITION, decode(self.committed, self.text))
        self.told = decode(self.committed, self.text).finished
        self.owner = Owner(ledger, [offset for offset in self.offsets if offset >= self.committed])

    @precondition(lambda self: self.owner.coming)
    @rule()
    def take(self) -> None:
        """Take up the next message, if there is room."""
        offset, ledger = self.owner.coming[0], self.owner.ledger
        if not ledger.has_room(PARTITION, offset):
            assert self.owner.in_hand, "who has nothing in hand has room"
            return
        self.owner.coming.pop(0)
        token = ledger.accept(PARTITION, offset)
        assert (token is None) == (offset in self.told)
        if token is not None:
            self.owner.in_hand.append(token)

    @precondition(lambda self: self.owner.in_hand)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Finish any message in hand."""
        token = self.owner.in_hand.pop(data.draw(st.integers(0, len(self.owner.in_hand) - 1)))
        self.end(token)

    def end(self, token: AckToken) -> None:
        """Finish a message."""
        self.owner.ledger.finish(token)
        self.owner.done.add(token.offset)
        self.done.add(token.offset)

    @rule()
    def commit(self) -> None:
        """Commit what may be."""
        for position in self.owner.ledger.committable().values():
            self.committed, self.text = position.offset, encode(position)
            self.owner.ledger.record_commit(PARTITION, position)

    @rule()
    def crash(self) -> None:
        """Another one gets the partition, and knows no more than what was committed."""
        self.own()

    @rule()
    def hand_over(self) -> None:
        """Another one gets the partition after a last commit: nothing at all is done twice."""
        self.commit()
        done = self.owner.done | self.told
        self.own()
        assert self.told >= {offset for offset in done if offset >= self.committed}

    @invariant()
    def only_what_is_done_is_committed(self) -> None:
        """Neither the offset nor the note that goes with it tells of anything that nobody has done."""
        position: CommitPosition = decode(self.committed, self.text)
        assert {offset for offset in self.offsets if offset < position.offset} <= self.done
        assert position.finished <= self.done

    def teardown(self) -> None:
        """In the end everything can be finished, and is committed."""
        if not hasattr(self, "owner"):
            return
        while self.owner.coming or self.owner.in_hand:
            while self.owner.in_hand:
                self.end(self.owner.in_hand.pop())
            if self.owner.coming:
                self.take()
        self.commit()
        assert self.done == set(self.offsets)
        assert self.committed == self.offsets[-1] + 1


TestOwnersMachine = OwnersMachine.TestCase
TestOwnersMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

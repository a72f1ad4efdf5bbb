# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition that goes from owner to owner loses no message, and repeats none that a commit lists as finished."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.commit_metadata import decode, encode
from investigator.delivery.ledger import AckToken, CommitPosition, Ledger, Partition
from tests.unit.delivery.test_ledger import ONE, accepted, assigned_ledger

PARTITION = Partition("adviser-trigger", 0)
MAX_OFFSET_LEAD = 12


def test_the_next_owner_does_not_process_messages_finished_after_the_commit() -> None:
    """The commit metadata lists them; only the rest is accepted."""
    ledger = assigned_ledger()
    for finished in accepted(ledger, 3, 4, 5, 6, 7)[1::2]:
        ledger.finish(finished)
    position = ledger.committable()[ONE]
    assert position == CommitPosition(3, frozenset({4, 6}))
    successor = assigned_ledger()
    successor.restore(ONE, position)
    tokens = [token for offset in range(position.offset, 8) if (token := successor.accept(ONE, offset)) is not None]
    assert [token.offset for token in tokens] == [3, 5, 7]
    for token in tokens:
        successor.finish(token)
    assert successor.committable()[ONE] == CommitPosition(8)


def test_a_commit_that_is_read_after_the_first_accepted_message_is_ignored() -> None:
    """This assignment already has more recent state."""
    ledger = assigned_ledger()
    accepted(ledger, 3)
    ledger.restore(ONE, CommitPosition(3, frozenset({4})))
    accepted(ledger, 4)


def test_a_commit_in_between_forgets_no_message_that_the_previous_owner_finished() -> None:
    """A finished offset stays finished when the commit offset arrives right before it."""
    ledger = assigned_ledger()
    ledger.restore(ONE, CommitPosition(3, frozenset({5, 6, 9})))
    for token in accepted(ledger, 3, 4):
        ledger.finish(token)
    assert ledger.committable() == {ONE: CommitPosition(7, frozenset({9}))}
    assert [ledger.accept(ONE, offset) for offset in (5, 6)] == [None, None]
    accepted(ledger, 7, 8)
    assert ledger.accept(ONE, 9) is None


def test_a_rewind_to_before_the_commit_delivers_everything() -> None:
    """An operator may rewind a group, or recreate the topic: what was finished at those offsets no longer counts."""
    ledger = assigned_ledger()
    ledger.restore(ONE, CommitPosition(100, frozenset({105})))
    accepted(ledger, 0)
    assert not ledger.is_committed(ONE, 50)
    assert ledger.may_come(ONE, 50)
    accepted(ledger, 105)
    assert ledger.commit_offset(ONE) == 0


def committed(ledger: Ledger) -> list[int]:
    """Return the first offsets that no owner receives again."""
    return [offset for offset in range(8) if ledger.is_committed(ONE, offset)]


def test_committed_offsets_are_known_without_their_messages() -> None:
    """Those that an earlier owner committed or listed as finished, and those of this owner's last commit."""
    ledger = assigned_ledger()
    ledger.restore(ONE, CommitPosition(3, frozenset({5})))
    assert committed(ledger) == [0, 1, 2, 5]
    ledger.finish(accepted(ledger, 3, 4)[1])
    assert committed(ledger) == [0, 1, 2, 5], "a crash before the commit brings the message again"
    ledger.record_commit(ONE, ledger.committable()[ONE])
    assert committed(ledger) == [0, 1, 2, 4, 5]
    assert not ledger.is_committed(Partition("unknown", 0), 0)


def test_a_message_may_come_until_it_is_accepted_or_committed() -> None:
    """A message that was resumed is awaited only by the worker that receives it."""
    ledger = assigned_ledger()
    ledger.restore(ONE, CommitPosition(3, frozenset({5})))
    assert [offset for offset in range(8) if ledger.may_come(ONE, offset)] == [3, 4, 6, 7]
    accepted(ledger, 3)
    assert [offset for offset in range(8) if ledger.may_come(ONE, offset)] == [4, 6, 7]
    assert not ledger.may_come(Partition("unknown", 0), 0)


@dataclass
class Owner:
    """The present owner of the partition: its ledger, the offsets to come, and its messages in flight."""

    ledger: Ledger
    coming: list[int]
    in_flight: list[AckToken] = field(default_factory=list)
    done: set[int] = field(default_factory=set)


class OwnersMachine(RuleBasedStateMachine):
    """Accepts, finishes, commits, and passes the partition on with or without a last commit."""

    @initialize(gaps=st.lists(st.integers(1, 3), min_size=1, max_size=40))
    def begin(self, gaps: list[int]) -> None:
        """Make a partition some of whose offsets are missing."""
        self.offsets = [sum(gaps[: position + 1]) for position in range(len(gaps))]
        self.committed, self.text = self.offsets[0], ""
        self.done: set[int] = set()
        self.own()

    def own(self) -> None:
        """Assign the partition to a new owner, which restores the last commit."""
        ledger = Ledger(MAX_OFFSET_LEAD)
        ledger.assign(PARTITION)
        ledger.restore(PARTITION, decode(self.committed, self.text))
        self.restored = decode(self.committed, self.text).finished
        self.owner = Owner(ledger, [offset for offset in self.offsets if offset >= self.committed])

    @precondition(lambda self: self.owner.coming)
    @rule()
    def accept(self) -> None:
        """Accept the next message, if there is room."""
        offset, ledger = self.owner.coming[0], self.owner.ledger
        if not ledger.has_room(PARTITION, offset):
            assert self.owner.in_flight, "an owner with nothing in flight has room"
            return
        self.owner.coming.pop(0)
        token = ledger.accept(PARTITION, offset)
        assert (token is None) == (offset in self.restored)
        if token is not None:
            self.owner.in_flight.append(token)

    @precondition(lambda self: self.owner.in_flight)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Finish any message in flight."""
        token = self.owner.in_flight.pop(data.draw(st.integers(0, len(self.owner.in_flight) - 1)))
        self.end(token)

    def end(self, token: AckToken) -> None:
        """Finish a message."""
        self.owner.ledger.finish(token)
        self.owner.done.add(token.offset)
        self.done.add(token.offset)

    @rule()
    def commit(self) -> None:
        """Commit everything that may be committed."""
        for position in self.owner.ledger.committable().values():
            self.committed, self.text = position.offset, encode(position)
            self.owner.ledger.record_commit(PARTITION, position)

    @rule()
    def crash(self) -> None:
        """Pass the partition to another owner, which knows the last commit only."""
        self.own()

    @rule()
    def hand_over(self) -> None:
        """Pass the partition on after a last commit: no message is processed twice."""
        self.commit()
        done = self.owner.done | self.restored
        self.own()
        assert self.restored >= {offset for offset in done if offset >= self.committed}

    @invariant()
    def only_finished_messages_are_committed(self) -> None:
        """Check that neither the committed offset nor its metadata includes an unfinished message."""
        position: CommitPosition = decode(self.committed, self.text)
        assert {offset for offset in self.offsets if offset < position.offset} <= self.done
        assert position.finished <= self.done

    def teardown(self) -> None:
        """Check that in the end all messages can be finished, and are committed."""
        if not hasattr(self, "owner"):
            return
        while self.owner.coming or self.owner.in_flight:
            while self.owner.in_flight:
                self.end(self.owner.in_flight.pop())
            if self.owner.coming:
                self.accept()
        self.commit()
        assert self.done == set(self.offsets)
        assert self.committed == self.offsets[-1] + 1


TestOwnersMachine = OwnersMachine.TestCase
TestOwnersMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

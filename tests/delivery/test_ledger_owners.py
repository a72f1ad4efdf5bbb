# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition that goes from owner to owner: nothing is lost, and nothing is done again that a commit told of."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.ledger import Ledger, Mark, Partition, Ticket
from investigator.delivery.progress import from_text, to_text

PARTITION = Partition("adviser-trigger", 0)
MAX_AHEAD = 12


@dataclass
class Owner:
    """Who has the partition: its ledger, what comes next, and what it has in hand."""

    ledger: Ledger
    coming: list[int]
    in_hand: list[Ticket] = field(default_factory=list)
    done: set[int] = field(default_factory=set)


class OwnersMachine(RuleBasedStateMachine):
    """Takes up, finishes, commits, and hands the partition on with or without a last commit."""

    @initialize(gaps=st.lists(st.integers(1, 3), min_size=1, max_size=40))
    def begin(self, gaps: list[int]) -> None:
        """Make a partition some of whose offsets are missing."""
        self.offsets = [sum(gaps[: place + 1]) for place in range(len(gaps))]
        self.committed, self.text = self.offsets[0], ""
        self.done: set[int] = set()
        self.own()

    def own(self) -> None:
        """Become the owner: go to the commit, and read what it tells."""
        ledger = Ledger(MAX_AHEAD)
        ledger.assign(PARTITION)
        ledger.restore(PARTITION, from_text(self.committed, self.text))
        self.told = from_text(self.committed, self.text).finished
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
        ticket = ledger.take(PARTITION, offset)
        assert (ticket is None) == (offset in self.told)
        if ticket is not None:
            self.owner.in_hand.append(ticket)

    @precondition(lambda self: self.owner.in_hand)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Finish any message in hand."""
        ticket = self.owner.in_hand.pop(data.draw(st.integers(0, len(self.owner.in_hand) - 1)))
        self.end(ticket)

    def end(self, ticket: Ticket) -> None:
        """Finish a message."""
        self.owner.ledger.finish(ticket)
        self.owner.done.add(ticket.offset)
        self.done.add(ticket.offset)

    @rule()
    def commit(self) -> None:
        """Commit what may be."""
        for mark in self.owner.ledger.committable().values():
            self.committed, self.text = mark.offset, to_text(mark)
            self.owner.ledger.committed(PARTITION, mark)

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
        mark: Mark = from_text(self.committed, self.text)
        assert {offset for offset in self.offsets if offset < mark.offset} <= self.done
        assert mark.finished <= self.done

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

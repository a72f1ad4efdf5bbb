# SPDX-License-Identifier: GPL-3.0-or-later
"""An observer of one worker that checks what happens to messages against what operators decided."""

from typing import TYPE_CHECKING

from investigator.delivery.halts import HaltKey, ResumeAction
from investigator.delivery.messages import Delivery
from tests.support.delivery_fakes import FakeDeadLetters, RecordingObserver

if TYPE_CHECKING:
    from investigator.delivery.halt_coordinator import HaltCoordinator
    from tests.unit.delivery.group import Group


class GroupObserver(RecordingObserver):
    """Records in the group which messages are finished, and whether an operator had decided so."""

    halt_coordinator: "HaltCoordinator"

    def __init__(self, group: "Group", dead_letters: FakeDeadLetters) -> None:
        super().__init__()
        self._group = group
        self._dead_letters = dead_letters

    def started(self, delivery: Delivery) -> None:
        """Check that no operator decided otherwise."""
        super().started(delivery)
        decided = self.halt_coordinator.decision_for(delivery.topic, delivery.position) is not None
        self._group.never("processed against a decision", happened=decided, at=(delivery.partition, delivery.offset))

    def finished(self, delivery: Delivery, _seconds: float) -> None:
        """Record the message."""
        stored = self._group.messages[delivery.partition][delivery.offset]
        stored.finished = True
        decided = self._group.log.actions(HaltKey(delivery.topic, delivery.position))
        at = (delivery.partition, delivery.offset)
        lettered = any(each.partition == at[0] and each.offset == at[1] for each, _ in self._dead_letters.published)
        by_policy = self._dead_letters.accepts(delivery) or ResumeAction.DEAD_LETTER in decided
        self._group.never("dead-lettered without a decision", happened=lettered and not by_policy, at=at)
        skipped = not lettered and not stored.handled
        self._group.never("skipped without a decision", happened=skipped and ResumeAction.SKIP not in decided, at=at)

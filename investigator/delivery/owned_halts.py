# SPDX-License-Identifier: GPL-3.0-or-later
"""The halts over messages of the partitions that are assigned to this worker."""

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.ledger import Ledger, Partition
from investigator.delivery.origin import MessagePosition


class OwnedHalts:
    """Clears the records about messages that are settled, whichever worker wrote them and whenever it did.

    Args:
        ledger: knows what the brokers have stored of the assigned partitions.
        halt_coordinator: has the records.
    """

    def __init__(self, ledger: Ledger, halt_coordinator: HaltCoordinator) -> None:
        self._ledger = ledger
        self._halt_coordinator = halt_coordinator
        ledger.add_listener(self._on_stored)

    def _on_stored(self, partition: Partition) -> None:
        for topic in self._halt_coordinator.table.topics():
            if self._halt_coordinator.full_name(topic) == partition.topic:
                self.clear_settled(topic)

    def clear_settled(self, topic: str) -> None:
        """Clear the records about messages of the topic that no owner receives again, as their offset is committed."""
        for position in list(self._halt_coordinator.table.records(topic)):
            if position and self._ledger.is_committed(self._partition(topic, position), position.offset):
                self._halt_coordinator.clear(topic, position)

    def may_accept(self, topic: str) -> bool:
        """Return whether messages of the topic may be accepted: it is not halted, or a resumed message is to come.

        The latter happens after a rebalance. The messages before the resumed one then wait in memory.
        """
        return not self._halt_coordinator.is_halted(topic) or any(
            self._ledger.may_come(self._partition(topic, record.cause.position), record.cause.offset)
            for record in self._halt_coordinator.resumed_messages(topic)
            if record.cause is not None
        )

    def _partition(self, topic: str, position: MessagePosition) -> Partition:
        return Partition(self._halt_coordinator.full_name(topic), position.partition)

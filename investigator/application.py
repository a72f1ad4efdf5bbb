# SPDX-License-Identifier: GPL-3.0-or-later
"""The Faust application with the delivery engine between its consumer and its agents."""

from collections.abc import Callable
from typing import Any

import faust
from faust.types import TP

from investigator.delivery.dispatcher import Dispatcher
from investigator.delivery.ledger import Partition
from investigator.transport import transport_for

# How long messages in hand may take to finish when their partitions go to another worker. What is not finished is done
# again there and finds its workflows already made, so this only saves work, while the whole group waits.
_REBALANCE_GRACE_SECONDS = 2.0


class Investigator(faust.App):
    """Hands Faust's assignments on to the dispatcher, and drains it before a stop.

    Args:
        group: the consumer group.
        dispatcher: handles the messages.
        prepare: called before a worker starts; raises where it can't.
        drain_seconds: how long messages in hand may take to finish at a stop.
        options: what Faust's own application takes.
    """

    def __init__(
        self,
        group: str,
        *,
        dispatcher: Dispatcher,
        drain_seconds: float,
        prepare: Callable[[], None],
        **options: Any,  # noqa: ANN401  whatever Faust has settings for
    ) -> None:
        self.dispatcher = dispatcher
        self.prepare = prepare
        self._drain_seconds = drain_seconds
        super().__init__(group, **options)
        self.on_partitions_revoked.connect(self._let_go)
        self.on_partitions_assigned.connect(self._begin)

    def _new_transport(self) -> Any:  # noqa: ANN401  Faust's own annotation is an interface that its drivers outgrew
        return transport_for(self.dispatcher.ledger)(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Do nothing: there are no tables whose data would need a place."""

    async def on_stop(self) -> None:
        """Finish what is in hand, within bounds, before the consumer commits and leaves the group."""
        await self.dispatcher.let_go(self.dispatcher.ledger.assigned(), self._drain_seconds)
        await super().on_stop()

    async def _let_go(self, _app: faust.App, revoked: set[TP], **_options: object) -> None:
        partitions = [Partition(*tp) for tp in revoked]
        await self.dispatcher.let_go(partitions, _REBALANCE_GRACE_SECONDS)
        await self.consumer.commit()
        self.dispatcher.revoke(partitions)

    async def _begin(self, _app: faust.App, assigned: set[TP], **_options: object) -> None:
        self.dispatcher.assign(Partition(*tp) for tp in assigned)

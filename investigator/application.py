# SPDX-License-Identifier: GPL-3.0-or-later
"""The Faust application with the delivery engine between its consumer and its agents."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import faust
from mode.types import ServiceT

from investigator.delivery.dispatcher import Dispatcher
from investigator.transport import transport_for


class Investigator(faust.App):
    """An application whose consumer commits by the ledger, and which finishes what is in hand before a stop.

    Args:
        group: the consumer group.
        dispatcher: handles the messages.
        drain_seconds: how long messages in hand may take to finish at a stop.
        prepare: called before a worker starts; raises where it can't.
        services: what is started and stopped with the worker.
        options: what Faust's own application takes.
    """

    def __init__(
        self,
        group: str,
        *,
        dispatcher: Dispatcher,
        drain_seconds: float,
        prepare: Callable[[], None],
        services: Sequence[ServiceT],
        **options: Any,  # noqa: ANN401  whatever Faust has settings for
    ) -> None:
        self.dispatcher = dispatcher
        self.prepare = prepare
        self._drain_seconds = drain_seconds
        super().__init__(group, **options)
        # Faust starts what is an instance already as well, which its annotation does not say.
        self._extra_services.extend(cast("Sequence[type[ServiceT]]", services))

    def _new_transport(self) -> Any:  # noqa: ANN401  Faust's own annotation is an interface that its drivers outgrew
        return transport_for(self.dispatcher)(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Do nothing: there are no tables whose data would need a place."""

    async def on_stop(self) -> None:
        """Finish what is in hand, within bounds, before the consumer commits and leaves the group."""
        await self.dispatcher.let_go(self.dispatcher.ledger.assigned(), self._drain_seconds)
        await super().on_stop()

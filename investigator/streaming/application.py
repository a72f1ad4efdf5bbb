# SPDX-License-Identifier: GPL-3.0-or-later
"""The Faust application, whose consumer commits by the ledger, and which drains the dispatcher before a stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import faust
from faust.types import TransportT
from faust.web.drivers.aiohttp import Web
from mode.types import ServiceT

from investigator.streaming.consumer import ConsumerContext, LedgerTransport
from investigator.streaming.ports import PartitionOwner

# How long the last commit and leaving the group may take; both need a fraction of a second while the brokers answer.
_CLOSING_SECONDS = 10.0


class WebServer(Web):
    """Serves the pages that the application adds, and none of Faust's own: the status page is at `/`."""

    production_blueprints: ClassVar = ()


@dataclass(frozen=True)
class Lifecycle:
    """The steps before the start and before the stop of a worker.

    Args:
        prepare: called before anything starts; raises StartupError if the worker can't start.
        dispatcher: drained before a stop.
        drain_timeout: seconds that messages in flight may take to finish at a stop.
        close: stops the threads and closes the connections of the handlers' clients, after the last handler.
    """

    prepare: Callable[[], None]
    dispatcher: PartitionOwner
    drain_timeout: float
    close: Callable[[], None]

    @property
    def stop_timeout(self) -> float:
        """Seconds after which a worker that is stopping ends in any case."""
        return self.drain_timeout + _CLOSING_SECONDS

    async def drain(self) -> None:
        """Finish the messages in flight, for at most `drain_timeout` seconds, and accept no others."""
        await self.dispatcher.drain(self.dispatcher.ledger.assigned(), self.drain_timeout)


class Investigator(faust.App):
    """A Faust application that commits by the ledger, and finishes the messages in flight before it stops.

    Args:
        group: the consumer group.
        context: the parts of the worker that its consumer reports to.
        services: started and stopped with the worker.
        lifecycle: the steps before the start and before the stop.
        options: the settings of Faust's own application.
    """

    def __init__(
        self,
        group: str,
        context: ConsumerContext,
        services: Sequence[ServiceT],
        lifecycle: Lifecycle,
        **options: Any,  # noqa: ANN401  whatever Faust has settings for
    ) -> None:
        self.lifecycle = lifecycle
        self._context = context
        super().__init__(group, **options)
        # Faust's annotation asks for classes, but it starts instances as well.
        self._extra_services.extend(cast("Sequence[type[ServiceT]]", services))

    def _new_transport(self) -> TransportT:
        return LedgerTransport(self._context, self)

    def _new_web(self) -> WebServer:
        return WebServer(self)

    def _create_directories(self) -> None:
        """Do nothing: without tables, Faust has no data to store on disk."""

    async def on_stop(self) -> None:
        """Finish the messages in flight before the consumer commits and leaves the group."""
        await self.lifecycle.drain()
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """Close the handlers' clients, now that consumer and agents have stopped and no handler can use them."""
        self.lifecycle.close()
        await super().on_shutdown()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Faust application, with its consumer bound to the delivery engine, which is drained before a stop."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import faust
from faust.types import TransportT
from faust.web.drivers.aiohttp import Web
from mode.types import ServiceT


class WebServer(Web):
    """Serves the pages that the application adds, and none of Faust's own: the status page is at `/`."""

    production_blueprints: ClassVar = ()


@dataclass(frozen=True)
class Lifecycle:
    """What happens before and after the run of a worker.

    Args:
        prepare: called before anything starts; raises where the worker can't.
        drain: finishes what is in hand when it is to stop, within bounds.
        close: stops the threads and closes the connections of the handlers' clients, after the last handler.
        longest_stop: after so many seconds the process ends in any case.
    """

    prepare: Callable[[], None]
    drain: Callable[[], Awaitable[None]]
    close: Callable[[], None]
    longest_stop: float


class Investigator(faust.App):
    """An application whose consumer commits by the ledger, and which finishes what is in hand before a stop.

    Args:
        group: the consumer group.
        transport: the class of transport that the consumer comes from.
        services: what is started and stopped with the worker.
        lifecycle: what happens before and after.
        options: what Faust's own application takes.
    """

    def __init__(
        self,
        group: str,
        transport: type[TransportT],
        services: Sequence[ServiceT],
        lifecycle: Lifecycle,
        **options: Any,  # noqa: ANN401  whatever Faust has settings for
    ) -> None:
        self.lifecycle = lifecycle
        self._transport_class = transport
        super().__init__(group, **options)
        # Faust starts what is an instance already as well, which its annotation does not say.
        self._extra_services.extend(cast("Sequence[type[ServiceT]]", services))

    def _new_transport(self) -> TransportT:
        return self._transport_class(self.conf.broker_consumer, self)

    def _new_web(self) -> WebServer:
        return WebServer(self)

    def _create_directories(self) -> None:
        """Do nothing: there are no tables whose data would need a place."""

    async def on_stop(self) -> None:
        """Finish what is in hand before the consumer commits and leaves the group."""
        await self.lifecycle.drain()
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """Close the handlers' clients, now that consumer and agents have stopped and no handler can use them."""
        self.lifecycle.close()
        await super().on_shutdown()

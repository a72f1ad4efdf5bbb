# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuit breakers of one dependency, one for each operation that its calls are about."""

from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from typing import TypeVar

from investigator.delivery.current_message import WhileWaiting
from investigator.resilience.breaker import Breaker, BreakerPolicy, BreakerView

T = TypeVar("T")


class BreakerGroup:
    """Lets the calls of a dependency pass while it answers, and holds them back while it is unavailable."""

    def __init__(self, name: str, policy: BreakerPolicy | None = None) -> None:
        """Make the group of the dependency ``name``; may be built anywhere, but used in one event loop only."""
        self.name = name
        self._breaker = Breaker(name, policy)

    @property
    def view(self) -> BreakerView:
        """The current state of the dependency."""
        return self._breaker.view

    async def call(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        operation: str,  # noqa: ARG002 - all operations of a dependency still share one breaker
        message_key: Hashable,
        while_waiting: WhileWaiting = nullcontext,
    ) -> T:
        """Run ``attempt``, and repeat it for as long as it fails because of an outage.

        Args:
            attempt: makes the call once; may be run any number of times.
            operation: what the call is about, a short stable text that continues "fails to".
            message_key: identifies the message that the call is made for.
            while_waiting: entered while the call is held back, for a probe too.

        Raises:
            PermanentError: from the attempt.
            TemporaryError: from the attempt, if the breaker is closed after it.
        """
        return await self._breaker.call(attempt, message_key=message_key, while_waiting=while_waiting)

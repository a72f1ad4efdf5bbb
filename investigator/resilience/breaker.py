# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds calls back while a dependency is down as a whole, and probes it: one breaker per dependency.

Without it an outage of a minute would burn the attempts of every message that comes by, and halt or dead-letter
them all. A call that meets an open breaker, or whose own failure opens it, does not fail: it waits and tries again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from investigator.delivery.current_message import WhileWaiting
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and how often it probes; times in seconds."""

    failures: int = 10  # in a row: a lost connection or two, or one call with all its quick retries, is no outage
    messages: int = 3  # a message that makes the other side fail is that message's trouble; three of them are not
    initial_probe_interval: float = 1.0  # most outages are restarts, over within seconds
    max_probe_interval: float = 15.0  # bounds how late the end of an outage is noticed; four calls a minute harm nobody
    max_delay: float = 60.0  # a Retry-After beyond this is taken for a mistake


@dataclass(frozen=True, slots=True)
class BreakerView:
    """What the pages and the metrics show of a breaker; ``since`` and ``next_probe`` are in loop time."""

    name: str
    is_open: bool
    since: float | None
    next_probe: float | None
    failures: int
    waiting: int
    error: str | None


@dataclass(slots=True)
class BreakerState:
    """The decisions, without any waiting; ``now`` is any clock in seconds that never goes back."""

    policy: BreakerPolicy
    failures: int = 0
    opened_at: float | None = None
    probe_at: float = 0.0
    error: str | None = None
    _unavailable: int = 0
    _messages: set[Hashable] = field(default_factory=set)
    _interval: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are to be held back."""
        return self.opened_at is not None

    def succeeded(self) -> None:
        """Take note of an answer, whatever it says: the dependency lives."""
        self.failures = self._unavailable = 0
        self._messages.clear()
        self.opened_at = None

    def failed(self, now: float, message_key: Hashable, error: TemporaryError, *, probe: bool = False) -> None:
        """Take note of a failure of a call made for the message ``message_key``."""
        self.error = str(error)
        self.failures += 1
        self._unavailable += isinstance(error, UnavailableError)
        if len(self._messages) < self.policy.messages:
            self._messages.add(message_key)
        if not self.is_open and self._is_outage():
            self._open(now, error)
        elif self.is_open and probe:
            self._put_off(now, error)

    def _is_outage(self) -> bool:
        many = len(self._messages) >= self.policy.messages
        return (self.failures if many else self._unavailable) >= self.policy.failures

    def _open(self, now: float, error: TemporaryError) -> None:
        self.opened_at = now
        self._interval = self.policy.initial_probe_interval / 2
        self._put_off(now, error)

    def _put_off(self, now: float, error: TemporaryError) -> None:
        self._interval = min(self._interval * 2, self.policy.max_probe_interval)
        asked = min(error.delay or 0.0, self.policy.max_delay)
        self.probe_at = now + max(self._interval, asked)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


class Breaker:
    """Lets calls through while its dependency answers, and holds them back while it does not."""

    def __init__(self, name: str, policy: BreakerPolicy | None = None) -> None:
        """Make a closed breaker for the dependency of that name; built anywhere, used in one event loop."""
        self.name = name
        self._state = BreakerState(policy or BreakerPolicy())
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._probing = False

    @property
    def view(self) -> BreakerView:
        """The state of this moment."""
        state = self._state
        next_probe = state.probe_at if state.is_open else None
        return BreakerView(
            self.name, state.is_open, state.opened_at, next_probe, state.failures, len(self._waiting), state.error
        )

    async def call(
        self, attempt: Callable[[], Awaitable[T]], *, message_key: Hashable, while_waiting: WhileWaiting = nullcontext
    ) -> T:
        """Run ``attempt`` until it ends with anything but a failure that belongs to an outage.

        Args:
            attempt: makes the call once; may be run any number of times.
            who: the message that the call is made for.
            while_waiting: entered while the call is held back; a probe is made inside of it.

        Raises:
            PermanentError: from the attempt.
            TemporaryError: from the attempt, where it is no sign of an outage.
        """
        while True:
            if not self._state.is_open:
                answer = await self._try(attempt, message_key, probe=False)
            else:
                async with while_waiting(f"the {self.name}, which is down"):
                    answer = await self._wait(attempt, message_key)
            if answer:
                return answer.value

    async def _wait(self, attempt: Callable[[], Awaitable[T]], message_key: Hashable) -> _Answer[T] | None:
        """Wait for the end of the outage, and probe when it is this call's turn; None if another one ended it."""
        while await self._turn():
            if answer := await self._try(attempt, message_key, probe=True):
                return answer
        return None

    async def _try(
        self, attempt: Callable[[], Awaitable[T]], message_key: Hashable, *, probe: bool
    ) -> _Answer[T] | None:
        try:
            value = await attempt()
        except TemporaryError as error:
            self._failed(message_key, error, probe=probe)
            if not self._state.is_open:
                raise
            return None
        except PermanentError:
            self._succeeded()
            raise
        else:
            self._succeeded()
            return _Answer(value)
        finally:
            self._probing = self._probing and not probe
            self._arrange()

    def _failed(self, message_key: Hashable, error: TemporaryError, *, probe: bool) -> None:
        was_open = self._state.is_open
        self._state.failed(asyncio.get_running_loop().time(), message_key, error, probe=probe)
        if self._state.is_open and not was_open:
            _LOGGER.error("The %s is down, calls wait for its return: %s", self.name, error)

    def _succeeded(self) -> None:
        if self._state.is_open:
            _LOGGER.warning("The %s is back", self.name)
        self._state.succeeded()

    async def _turn(self) -> bool:
        """Wait; True when this call is to probe, False when the outage is over."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._arrange()
        try:
            return await turn
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def _give_up(self, turn: "asyncio.Future[bool]") -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif not turn.cancelled() and turn.result():
            self._probing = False  # cancelled between being called up and running: the next one probes
            self._arrange()

    def _arrange(self) -> None:
        """See to it that somebody is called up when the time has come."""
        if not self._state.is_open:
            self._release()
        elif self._waiting and not self._probing and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._state.probe_at, self._call_up)

    def _release(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while turn := self._next():
            turn.set_result(False)

    def _call_up(self) -> None:
        self._timer = None
        if turn := self._next():
            self._probing = True
            turn.set_result(True)

    def _next(self) -> "asyncio.Future[bool] | None":
        """Take out the one who waits longest; those who were cancelled in this moment do not count."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None

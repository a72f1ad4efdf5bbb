# SPDX-License-Identifier: GPL-3.0-or-later
"""A circuit breaker: holds calls back while a dependency is unavailable, and probes it; one breaker per dependency.

Without a breaker, an outage of a minute would exhaust the retries of every message, and halt all topics or dead-letter
all messages. A call that meets an open breaker, or whose failure opens it, does not fail: it waits and tries again.
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
    """When a breaker opens, and how often it probes; times in seconds.

    Attributes:
        failures: in a row; a few lost connections, or one call with all its quick retries, are no outage.
        messages: one message may itself cause the dependency's errors; three different ones do not.
        initial_probe_interval: most outages are restarts, and last some seconds.
        max_probe_interval: bounds how late the end of an outage is noticed; four calls a minute are no load.
        max_delay: a longer Retry-After is considered a mistake.
    """

    failures: int = 10
    messages: int = 3
    initial_probe_interval: float = 1.0
    max_probe_interval: float = 15.0
    max_delay: float = 60.0


@dataclass(frozen=True, slots=True)
class BreakerView:
    """The state of a breaker for pages and metrics; ``since`` and ``next_probe`` are in loop time."""

    name: str
    is_open: bool
    since: float | None
    next_probe: float | None
    failures: int
    waiting: int
    error: str | None


@dataclass(slots=True)
class BreakerState:
    """The decisions of a breaker, without any waiting; ``now`` is any monotonic clock in seconds."""

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
        """Whether calls must be held back."""
        return self.opened_at is not None

    def record_success(self) -> None:
        """Record a response of whatever content: the dependency is available."""
        self.failures = self._unavailable = 0
        self._messages.clear()
        self.opened_at = None

    def record_failure(self, now: float, message_key: Hashable, error: TemporaryError, *, probe: bool = False) -> None:
        """Record the failure of a call made for the message ``message_key``."""
        self.error = str(error)
        self.failures += 1
        self._unavailable += isinstance(error, UnavailableError)
        if len(self._messages) < self.policy.messages:
            self._messages.add(message_key)
        if not self.is_open and self._is_outage():
            self._open(now, error)
        elif self.is_open and probe:
            self._delay_probe(now, error)

    def _is_outage(self) -> bool:
        many = len(self._messages) >= self.policy.messages
        return (self.failures if many else self._unavailable) >= self.policy.failures

    def _open(self, now: float, error: TemporaryError) -> None:
        self.opened_at = now
        self._interval = self.policy.initial_probe_interval / 2
        self._delay_probe(now, error)

    def _delay_probe(self, now: float, error: TemporaryError) -> None:
        self._interval = min(self._interval * 2, self.policy.max_probe_interval)
        requested = min(error.delay or 0.0, self.policy.max_delay)
        self.probe_at = now + max(self._interval, requested)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


class Breaker:
    """Lets calls pass while its dependency answers, and holds them back while it is unavailable."""

    def __init__(self, name: str, policy: BreakerPolicy | None = None) -> None:
        """Make a closed breaker for the dependency ``name``; may be built anywhere, but used in one event loop only."""
        self.name = name
        self._state = BreakerState(policy or BreakerPolicy())
        self._waiters: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._probing = False

    @property
    def view(self) -> BreakerView:
        """The current state."""
        state = self._state
        next_probe = state.probe_at if state.is_open else None
        return BreakerView(
            self.name, state.is_open, state.opened_at, next_probe, state.failures, len(self._waiters), state.error
        )

    async def call(
        self, attempt: Callable[[], Awaitable[T]], *, message_key: Hashable, while_waiting: WhileWaiting = nullcontext
    ) -> T:
        """Run ``attempt``, and repeat it for as long as it fails because of an outage.

        Args:
            attempt: makes the call once; may be run any number of times.
            message_key: identifies the message that the call is made for.
            while_waiting: entered while the call is held back, for a probe too.

        Raises:
            PermanentError: from the attempt.
            TemporaryError: from the attempt, if the breaker is closed after it.
        """
        while True:
            if not self._state.is_open:
                answer = await self._attempt(attempt, message_key, probe=False)
            else:
                async with while_waiting(f"the {self.name}, which is unavailable"):
                    answer = await self._wait(attempt, message_key)
            if answer:
                return answer.value

    async def _wait(self, attempt: Callable[[], Awaitable[T]], message_key: Hashable) -> _Answer[T] | None:
        """Wait for the end of the outage, and probe when this call is next; None if another call ended the outage."""
        while await self._wait_turn():
            if answer := await self._attempt(attempt, message_key, probe=True):
                return answer
        return None

    async def _attempt(
        self, attempt: Callable[[], Awaitable[T]], message_key: Hashable, *, probe: bool
    ) -> _Answer[T] | None:
        try:
            value = await attempt()
        except TemporaryError as error:
            self._record_failure(message_key, error, probe=probe)
            if not self._state.is_open:
                raise
            return None
        except PermanentError:
            self._record_success()
            raise
        else:
            self._record_success()
            return _Answer(value)
        finally:
            self._probing = self._probing and not probe
            self._wake_waiters()

    def _record_failure(self, message_key: Hashable, error: TemporaryError, *, probe: bool) -> None:
        was_open = self._state.is_open
        self._state.record_failure(asyncio.get_running_loop().time(), message_key, error, probe=probe)
        if self._state.is_open and not was_open:
            _LOGGER.error("Dependency is unavailable; its calls wait dependency=%s error=%s", self.name, error)

    def _record_success(self) -> None:
        if self._state.is_open:
            _LOGGER.warning("Dependency is available again dependency=%s", self.name)
        self._state.record_success()

    async def _wait_turn(self) -> bool:
        """Wait; return True if this call must probe, False if the outage is over."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiters.append(turn)
        self._wake_waiters()
        try:
            return await turn
        except asyncio.CancelledError:
            self._abandon(turn)
            raise

    def _abandon(self, turn: "asyncio.Future[bool]") -> None:
        if turn in self._waiters:
            self._waiters.remove(turn)
        elif not turn.cancelled() and turn.result():
            self._probing = False  # chosen for the probe and cancelled before it began: the next call probes
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        """Release all calls if the breaker is closed; else make sure that one of them probes when it is time."""
        if not self._state.is_open:
            self._release()
        elif self._waiters and not self._probing and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._state.probe_at, self._start_probe)

    def _release(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while turn := self._pop_waiter():
            turn.set_result(False)

    def _start_probe(self) -> None:
        self._timer = None
        if turn := self._pop_waiter():
            self._probing = True
            turn.set_result(True)

    def _pop_waiter(self) -> "asyncio.Future[bool] | None":
        """Remove and return the call that has waited longest, cancelled ones aside."""
        while self._waiters:
            turn = self._waiters.popleft()
            if not turn.done():
                return turn
        return None

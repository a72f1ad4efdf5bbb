# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuit breakers of one dependency, one for each operation: hold calls back during an outage, and probe.

Without breakers, an outage of a minute would exhaust the retries of every message, and halt all topics or dead-letter
all messages. A call that meets an open breaker, or whose failure opens it, does not fail: it waits and tries again.
`DependencyState` decides which operations are unavailable; here calls wait.
"""

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from investigator.delivery.current_message import WhileWaiting
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.breaker_view import BreakerView, view_of
from investigator.resilience.dependency_state import DependencyState
from investigator.resilience.turns import Turn, Turns

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


class PatienceExhaustedError(Exception):
    """A call waited long enough for an operation that fails while others succeed; ``error`` is the last failure."""

    def __init__(self, error: TemporaryError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    attempt: Callable[[], Awaitable[T]]
    operation: str
    message_key: Hashable


class BreakerGroup:
    """Lets the calls of a dependency pass while it answers, and holds back those of unavailable operations."""

    def __init__(self, name: str, policy: BreakerPolicy | None = None) -> None:
        """Make the group of the dependency ``name``; may be built anywhere, but used in one event loop only."""
        self.name = name
        #: Called when a breaker has opened or closed.
        self.on_change: Callable[[], None] = lambda: None
        self._state = DependencyState(policy or BreakerPolicy())
        self._turns = Turns()
        self._probing: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._last_error: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # from the first failure on; views are also read elsewhere

    def waiting(self, operation: str) -> int:
        """Return how many calls wait for the operation."""
        return self._turns.counts().get(operation, 0)

    @property
    def view(self) -> BreakerView:
        """The current state of the dependency and of its unavailable operations."""
        if self._loop is not None and self._state.forget(self._loop.time(), self._needed()):
            self.on_change()
        return view_of(self.name, self._state, self._turns.counts(), self._last_error)

    async def call(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        operation: str,
        message_key: Hashable,
        while_waiting: WhileWaiting = nullcontext,
    ) -> T:
        """Run ``attempt``, and repeat it for as long as it fails because of an outage.

        Args:
            attempt: makes the call once; may be run any number of times.
            operation: what the call is about, a short stable text such as "read the graph".
            message_key: identifies the message that the call is made for.
            while_waiting: entered while the call is held back, for a probe too.

        Raises:
            PermanentError: from the attempt.
            TemporaryError: from the attempt, if the breaker is closed after it.
            PatienceExhaustedError: the operation fails for long while others of the dependency succeed.
        """
        call = _Call(attempt, operation, message_key)
        while True:
            if self._state.admit(operation, _now()):
                answer = await self._attempt(call, probe=False)
            else:
                async with while_waiting(f"the {self.name}, which is unavailable ({operation})"):
                    answer = await self._wait(call)
            if answer:
                return answer.value

    def open(self, operation: str, error: TemporaryError, since: float) -> bool:
        """Open the breaker over a call whose quick retries are exhausted; return whether the call has to wait.

        Args:
            operation: the operation of the call.
            error: its last failure.
            since: the loop time of its first failure. If another call of the operation succeeded since, the failure is
                the message's own and opens nothing.
        """
        was_open = self._state.is_open(operation)
        is_open = self._state.open(operation, _now(), error, since)
        self._announce_opening(operation, was_open=was_open)
        return is_open

    async def _wait(self, call: _Call[T]) -> _Answer[T] | None:
        """Wait for the end of the outage, and probe when this call is next; None if another call ended the outage."""
        while await self._wait_turn(call.operation) is Turn.PROBE:
            if answer := await self._attempt(call, probe=True):
                return answer
        return None

    async def _attempt(self, call: _Call[T], *, probe: bool) -> _Answer[T] | None:
        started = _now()
        try:
            value = await call.attempt()
        except TemporaryError as error:
            self._record_failure(call, error, probe=probe)
            if not self._state.is_open(call.operation):
                raise
            if probe and self._state.is_exhausted(call.operation, _now()):
                self._fail_waiters(call.operation, error)
                raise PatienceExhaustedError(error) from None
            return None
        except PermanentError:
            self._record_success(call.operation, started)
            raise
        except Exception:  # says nothing about the operation, but the next call must not fail at once as well
            if probe:
                self._state.delay_probe(call.operation, _now())
            raise
        else:
            self._record_success(call.operation, started)
            return _Answer(value)
        finally:
            if probe:
                self._probing.discard(call.operation)
            self._wake_waiters()

    def _record_failure(self, call: _Call[T], error: TemporaryError, *, probe: bool) -> None:
        now, operation = _now(), call.operation
        self._last_error, self._loop = str(error), asyncio.get_running_loop()
        was_open = self._state.is_open(operation)
        self._state.record_failure(operation, now, call.message_key, error, probe=probe)
        self._announce_opening(operation, was_open=was_open)
        if self._state.forget(now, {operation, *self._needed()}):
            self.on_change()

    def _announce_opening(self, operation: str, *, was_open: bool) -> None:
        if self._state.is_open(operation) and not was_open:
            facts = (self.name, operation, self._last_error)
            _LOGGER.error("Dependency is unavailable; its calls wait dependency=%s operation=%r error=%s", *facts)
            self.on_change()

    def _record_success(self, operation: str, started: float) -> None:
        was_open = self._state.is_open(operation)
        self._state.record_success(operation, _now(), started)
        if was_open:
            _LOGGER.warning("Dependency is available again dependency=%s operation=%r", self.name, operation)
            self.on_change()

    async def _wait_turn(self, operation: str) -> Turn:
        if operation not in self._needed():
            self._state.begin_wait(operation, _now())
        turn = self._turns.join(operation)
        self._wake_waiters()
        try:
            return await turn
        except asyncio.CancelledError:
            self._turns.leave(operation, turn)
            if turn.done() and not turn.cancelled() and turn.exception() is None and turn.result() is Turn.PROBE:
                self._probing.discard(operation)  # chosen for the probe and cancelled before it began
            self._wake_waiters()
            raise

    def _needed(self) -> set[str]:
        return {*self._turns.counts(), *self._probing}

    def _wake_waiters(self) -> None:
        """Release the calls of closed breakers; for the others, see that one of them probes when it is time."""
        for operation in self._turns.counts():
            if not self._state.is_open(operation):
                self._release(operation)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (probe := self._state.next_probe(self._turns.counts(), self._probing)) is not None:
            self._timer = asyncio.get_running_loop().call_at(probe[0], self._start_probe, probe[1])

    def _release(self, operation: str) -> None:
        while turn := self._turns.pop(operation):
            turn.set_result(Turn.CONTINUE)

    def _start_probe(self, operation: str) -> None:
        self._timer = None
        if turn := self._turns.pop(operation):
            self._probing.add(operation)
            turn.set_result(Turn.PROBE)
        self._wake_waiters()

    def _fail_waiters(self, operation: str, error: TemporaryError) -> None:
        while turn := self._turns.pop(operation):
            copied = copy.copy(error)  # an exception that many tasks raise would accumulate all their tracebacks
            copied.__cause__ = error
            turn.set_exception(PatienceExhaustedError(copied))


def _now() -> float:
    return asyncio.get_running_loop().time()

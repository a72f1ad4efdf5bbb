# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes creations wait while a quota of their namespace has no room; one gate per namespace serves a whole worker.

A quota that is exhausted concerns every message of its namespace, and is no failure of any. So after a refusal all
creations of the namespace wait, and one of them tries again after a pause. Each success lets twice as many try at once;
the next refusal lets all wait again. So a full namespace gets few requests, and room is used as soon as it is there.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from investigator.argo.quota_refusals import QuotaRefusal
from investigator.argo.request_queue import Request, RequestQueue
from investigator.delivery.current_message import WhileWaiting

_LOGGER = logging.getLogger(__name__)

_INITIAL_PAUSE = 1.0  # workflows end at any time, and Argo deletes them some seconds later
_MAX_PAUSE = 5.0  # bounds how late room is noticed; twelve requests a minute are no load


@dataclass(slots=True)
class Turn:
    """One try to create a workflow, and its result: call one of the methods if the quota was asked."""

    refusals: int  # of the namespace that were known when the turn came
    result: QuotaRefusal | bool = False

    def refuse(self, refusal: QuotaRefusal) -> None:
        """Record that the quota refused the creation."""
        self.result = refusal

    def succeed(self) -> None:
        """Record that the quota had room."""
        self.result = True


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A quota without room, for pages; ``since`` is in loop time."""

    quota: str
    since: float
    waiting: int
    error: str


class QuotaGate:
    """Lets creations pass while the quotas of a namespace have room, and makes them wait otherwise."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._queue: RequestQueue[Turn] = RequestQueue()
        self._refusal: QuotaRefusal | None = None  # the last one; None while there is room
        self._since = 0.0
        self._refusals = 0
        self._window = 1  # how many may try at once
        self._trying = 0  # how many of these do
        self._pause = 0.0
        self._retry_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many creations wait for room."""
        return len(self._queue)

    @property
    def view(self) -> QuotaView | None:
        """The quota that creations wait for; None if none waits."""
        if self._refusal is None or not self.waiting:
            return None
        return QuotaView(self._refusal.quota, self._since, self.waiting, self._refusal.error)

    @asynccontextmanager
    async def turn(
        self, *, urgent: bool = False, since: float | None = None, while_waiting: WhileWaiting = nullcontext
    ) -> AsyncIterator[Turn]:
        """Wait for room, for as long as it takes, and try to create a workflow.

        A creation that the quota refuses asks for another turn, with the same ``since``. It then waits behind the
        others of its class, because the quota may have room for other kinds of workflow.

        Args:
            urgent: whether the creation precedes those that are not urgent.
            since: the loop time from which on it waits; by default now.
            while_waiting: entered for the duration of the wait.
        """
        if self._refusal is None:
            turn = self._begin_try()
        else:
            request = self._queue.add(urgent=urgent, since=_now() if since is None else since)
            turn = await self._wait(request, self._refusal.quota, while_waiting)
        try:
            yield turn
        finally:
            self._record(turn)

    def is_current(self, turn: Turn) -> bool:
        """Return whether no creation was refused since the turn came."""
        return turn.refusals == self._refusals

    def close(self) -> None:
        """End the wait for the next try; creations that still wait get no turn any more."""
        if self._timer is not None:
            self._timer.cancel()

    async def _wait(self, request: Request[Turn], quota: str, while_waiting: WhileWaiting) -> Turn:
        self._release()
        try:
            if request.turn.done():
                return request.turn.result()
            async with while_waiting(f"room in the quota {quota} of namespace {self._namespace}"):
                return await request.turn
        except BaseException:
            self._queue.discard(request)
            if not request.turn.cancel() and not request.turn.cancelled():
                self._record(request.turn.result())  # its turn came in the moment in which it was cancelled
            raise

    def _begin_try(self) -> Turn:
        self._trying += 1
        return Turn(self._refusals)

    def _record(self, turn: Turn) -> None:
        if not self.is_current(turn):  # older than the last refusal: says nothing about the quota now
            return
        if isinstance(turn.result, QuotaRefusal):
            self._begin_pause(turn.result)
        elif turn.result and self._refusal is not None:
            self._window *= 2
            self._retry_at = self._pause = 0.0
        self._end_try()

    def _begin_pause(self, refusal: QuotaRefusal) -> None:
        if self._refusal is None:
            self._begin_episode(refusal)
        self._refusal = refusal
        self._refusals += 1
        self._window = self._trying = 1  # the one that ends now; the others began before this refusal
        self._pause = min(max(self._pause * 2, _INITIAL_PAUSE), _MAX_PAUSE)
        self._retry_at = _now() + self._pause

    def _end_try(self) -> None:
        self._trying -= 1
        if self._refusal is not None:
            self._release()

    def _release(self) -> None:
        """Let as many try as may; if that is later, do it then. Without any creation that waits, the wait is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (delay := self._retry_at - _now()) > 0:
            self._timer = asyncio.get_running_loop().call_later(delay, self._release)
            return
        while self._trying < self._window and (request := self._queue.pop(_now())) is not None:
            if not request.turn.done():
                request.turn.set_result(self._begin_try())
        if not self._pause and not self._trying and not self.waiting:
            self._end_episode()

    def _begin_episode(self, refusal: QuotaRefusal) -> None:
        self._since = _now()
        self._pause = 0.0
        _LOGGER.warning(
            "Quota has no room; messages that create workflows in the namespace wait namespace=%s quota=%s error=%s",
            self._namespace,
            refusal.quota,
            refusal.error,
        )

    def _end_episode(self) -> None:
        _LOGGER.warning(
            "Quota has room again, and no message waits namespace=%s seconds=%.0f",
            self._namespace,
            _now() - self._since,
        )
        self._refusal = None


def _now() -> float:
    return asyncio.get_running_loop().time()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the number of workflows that have not started yet within a limit: one shared budget per namespace.

However many handlers wait, the namespace is counted by one of them at a time and not more often than the policy says.
How many may be created by what was counted is up to `Budget`.
"""

import asyncio
import copy
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from investigator.argo.pending_budget import Budget
from investigator.delivery.current_message import WhileWaiting


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """How many workflows of a namespace may wait for their start, None for any number; ``every`` is in seconds.

    ``workers`` tells how many workers share the limit at the moment.
    """

    limit: int | None = None
    interval: float = 2.0  # between two counts; what the contract's ARGO_PENDING_SLEEP_TIME defaults to
    members: Callable[[], int] = lambda: 1


@dataclass(slots=True)
class Permit:
    """The right to create one workflow."""

    used: bool = True

    def cancel(self) -> None:
        """Say that nothing was created after all, as far as that is sure."""
        self.used = False


@dataclass(slots=True)
class PendingLimiter:
    """Lets handlers through to one namespace, urgent ones first, else in the order in which they came.

    ``count`` asks the cluster how many workflows are pending. ``show`` is told what is known whenever that changes.
    ``name`` is that of the namespace, for whoever asks what a message waits for.
    """

    policy: PendingPolicy
    count: Callable[[], Awaitable[int]]
    show: Callable[[int], None] = lambda _: None
    name: str = "the cluster"
    _budget: Budget = field(init=False)
    _waiting: list[tuple[bool, int, "asyncio.Future[float]"]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _counting: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self._budget = Budget(self.policy.limit or 0, self.policy.interval)

    @asynccontextmanager
    async def acquire(
        self, *, urgent: bool = False, while_waiting: WhileWaiting = nullcontext
    ) -> AsyncIterator[Permit]:
        """Wait for a place, without any bound, and hold it while the workflow is created.

        Raises:
            PermanentError: the cluster refuses to be counted.
            TemporaryError: the cluster could not be counted.
        """
        place = Permit()
        if self.policy.limit is None:
            yield place
            return
        began = await self._enter(while_waiting, urgent=urgent)
        try:
            yield place
        finally:
            self._leave(began, created=place.used)

    def close(self) -> None:
        """End the counting; whoever still waits is not called up any more."""
        if self._counting:
            self._counting.cancel()

    async def _enter(self, while_waiting: WhileWaiting, *, urgent: bool) -> float:
        """Wait to be let in; tell when that was."""
        if not self._waiting and self._has_room():
            self._budget.admit(now := _now())
            return now
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._order), turn))
        self._let_in()
        try:
            async with while_waiting(f"a place in {self.name}"):
                return await turn
        except BaseException:
            if not turn.cancel() and not turn.cancelled() and turn.exception() is None:
                self._leave(turn.result(), created=False)  # let in, and cancelled in the same moment
            raise

    def _leave(self, began: float, *, created: bool) -> None:
        self._budget.finish(_now(), began, created=created)
        self._let_in()

    def _let_in(self) -> None:
        """Let in whoever fits now, and see to it that the cluster is counted for the others."""
        while (turn := self._first()) and self._has_room():
            heapq.heappop(self._waiting)
            self._budget.admit(now := _now())
            turn.set_result(now)
        if self._budget.pending is not None:
            self.show(self._budget.pending)
        if self._waiting and self._counting is None:
            self._counting = asyncio.create_task(self._keep_counting())

    def _has_room(self) -> bool:
        return self._budget.may_admit(_now(), self.policy.members())

    def _first(self) -> "asyncio.Future[float] | None":
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return self._waiting[0][2] if self._waiting else None

    async def _keep_counting(self) -> None:
        try:
            while self._first():
                if (due := self._budget.next_count_at(_now(), self.policy.members())) > _now():
                    await asyncio.sleep(due - _now())
                    continue
                self._budget.begin_count(_now(), self.policy.members())
                counted = await self.count()
                self._budget.end_count(_now(), counted)
                self._let_in()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for the count are told
            self._tell(error)
        finally:
            self._counting = None

    def _tell(self, error: Exception) -> None:
        while turn := self._first():
            heapq.heappop(self._waiting)
            own = copy.copy(error)  # one raised in many tasks at once would gather the tracebacks of them all
            own.__cause__ = error
            turn.set_exception(own)


def _now() -> float:
    return asyncio.get_running_loop().time()

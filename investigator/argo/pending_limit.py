# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the number of pending workflows within a limit; one limiter per namespace serves all handlers of a worker.

However many handlers wait, one task counts the workflows of the namespace, and not more often than the policy allows.
`PendingBudget` decides how many workflows the worker may create after a count.
"""

import asyncio
import copy
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from investigator.argo.pending_budget import PendingBudget
from investigator.delivery.current_message import WhileWaiting


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """The limit of pending workflows in a namespace.

    Attributes:
        limit: how many workflows may be pending when another one is created; None for no limit.
        interval: seconds between two counts; the contract's ARGO_PENDING_SLEEP_TIME.
        members: returns how many workers share the limit at the moment.
    """

    limit: int | None = None
    interval: float = 2.0  # the default of the contract
    members: Callable[[], int] = lambda: 1


@dataclass(slots=True)
class Permit:
    """The permission to create one workflow under the pending limit."""

    used: bool = True

    def cancel(self) -> None:
        """Return the permit: call it only if certainly no workflow was created."""
        self.used = False


@dataclass(slots=True)
class PendingLimiter:
    """Issues the permits of one namespace, to urgent requests first, else in the order of the requests.

    Attributes:
        policy: the limit.
        count: asks the cluster how many workflows are pending.
        on_change: called with the number of pending workflows whenever this worker learns a new one.
        name: the namespace, for the state of the messages that wait.
    """

    policy: PendingPolicy
    count: Callable[[], Awaitable[int]]
    on_change: Callable[[int], None] = lambda _: None
    name: str = "the cluster"
    _budget: PendingBudget = field(init=False)
    _waiters: list[tuple[bool, int, "asyncio.Future[float]"]] = field(default_factory=list)
    _sequence: "itertools.count[int]" = field(default_factory=itertools.count)
    _counter: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self._budget = PendingBudget(self.policy.limit or 0, self.policy.interval)

    @asynccontextmanager
    async def acquire(
        self, *, urgent: bool = False, while_waiting: WhileWaiting = nullcontext
    ) -> AsyncIterator[Permit]:
        """Wait for a permit, for as long as it takes, and hold it while the workflow is created.

        Args:
            urgent: whether the request precedes those that are not urgent.
            while_waiting: entered for the duration of the wait.

        Raises:
            PermanentError: the cluster refuses the count.
            TemporaryError: the count failed.
        """
        permit = Permit()
        if self.policy.limit is None:
            yield permit
            return
        admitted_at = await self._wait_for_admission(while_waiting, urgent=urgent)
        try:
            yield permit
        finally:
            self._finish(admitted_at, created=permit.used)

    def close(self) -> None:
        """End the task that counts; requests that still wait get no permit any more."""
        if self._counter:
            self._counter.cancel()

    async def _wait_for_admission(self, while_waiting: WhileWaiting, *, urgent: bool) -> float:
        """Wait until the request is admitted, and return the loop time of that."""
        if not self._waiters and self._may_admit():
            self._budget.admit(now := _now())
            return now
        admission: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (not urgent, next(self._sequence), admission))
        self._admit_waiters()
        try:
            async with while_waiting(f"a permit in {self.name}"):
                return await admission
        except BaseException:
            if not admission.cancel() and not admission.cancelled() and admission.exception() is None:
                self._finish(admission.result(), created=False)  # admitted and cancelled in the same moment
            raise

    def _finish(self, admitted_at: float, *, created: bool) -> None:
        self._budget.finish(_now(), admitted_at, created=created)
        self._admit_waiters()

    def _admit_waiters(self) -> None:
        """Admit as many requests as the budget allows; for the others, see that the counting task runs."""
        while (admission := self._first_waiter()) and self._may_admit():
            heapq.heappop(self._waiters)
            self._budget.admit(now := _now())
            admission.set_result(now)
        if self._budget.pending is not None:
            self.on_change(self._budget.pending)
        if self._waiters and self._counter is None:
            self._counter = asyncio.create_task(self._count_while_needed())

    def _may_admit(self) -> bool:
        return self._budget.may_admit(_now(), self.policy.members())

    def _first_waiter(self) -> "asyncio.Future[float] | None":
        """Return the request that is next, and drop cancelled ones before it."""
        while self._waiters and self._waiters[0][2].done():
            heapq.heappop(self._waiters)
        return self._waiters[0][2] if self._waiters else None

    async def _count_while_needed(self) -> None:
        try:
            while self._first_waiter():
                if (due := self._budget.next_count_at(_now(), self.policy.members())) > _now():
                    await asyncio.sleep(due - _now())
                    continue
                self._budget.begin_count(_now(), self.policy.members())
                counted = await self.count()
                self._budget.end_count(_now(), counted)
                self._admit_waiters()
        except Exception as error:  # noqa: BLE001 - of whatever type: the requests that wait for the count raise it
            self._fail_waiters(error)
        finally:
            self._counter = None

    def _fail_waiters(self, error: Exception) -> None:
        while admission := self._first_waiter():
            heapq.heappop(self._waiters)
            copied = copy.copy(error)  # an exception that many tasks raise would accumulate all their tracebacks
            copied.__cause__ = error
            admission.set_exception(copied)


def _now() -> float:
    return asyncio.get_running_loop().time()

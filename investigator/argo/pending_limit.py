# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the number of pending workflows within a limit; one limiter per namespace serves all handlers of a worker.

However many handlers wait, one task counts the workflows of the namespace, and not more often than the policy allows.
`PendingBudget` decides how many workflows the worker may create after a count. While the count fails, the handlers
wait, and the task repeats it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from contextvars import Context
from dataclasses import dataclass, field

from investigator.argo.count_outage import CountOutage
from investigator.argo.pending_budget import PendingBudget
from investigator.argo.request_queue import Request, RequestQueue
from investigator.delivery.current_message import WhileWaiting
from investigator.delivery.errors import TemporaryError


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """The limit of pending workflows in a namespace.

    Attributes:
        limit: how many workflows may be pending when another one is created; None for no limit.
        interval: seconds between two counts; the contract's ARGO_PENDING_SLEEP_TIME.
        members: returns how many workers share the limit at the moment.
        timeout: seconds after which a count counts as failed, whatever it does.
    """

    limit: int | None = None
    interval: float = 2.0  # the default of the contract
    members: Callable[[], int] = lambda: 1
    timeout: float = 30.0  # three pages that each answer in the last moment


@dataclass(slots=True)
class Permit:
    """The permission to create one workflow under the pending limit."""

    used: bool = True

    def cancel(self) -> None:
        """Return the permit: call it only if certainly no workflow was created."""
        self.used = False


@dataclass(slots=True)
class PendingLimiter:
    """Issues the permits of one namespace in the order of `RequestQueue`.

    Attributes:
        policy: the limit.
        count: asks the cluster how many workflows are pending.
        on_change: called with the number of pending workflows whenever this worker learns a new one.
        name: the namespace, for logs and for the state of the messages that wait.
        outage: the failures of the count.
    """

    policy: PendingPolicy
    count: Callable[[], Awaitable[int]]
    on_change: Callable[[int], None] = lambda _: None
    name: str = "the cluster"
    outage: CountOutage = field(init=False)
    _budget: PendingBudget = field(init=False)
    _queue: RequestQueue[float] = field(default_factory=RequestQueue)
    _counter: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.outage = CountOutage(self.name)
        self._budget = PendingBudget(self.policy.limit or 0, self.policy.interval)

    @property
    def is_failing(self) -> bool:
        """Whether requests wait for a count that fails."""
        return self.outage.since is not None and len(self._queue) > 0

    @asynccontextmanager
    async def acquire(
        self, *, urgent: bool = False, since: float | None = None, while_waiting: WhileWaiting = nullcontext
    ) -> AsyncIterator[Permit]:
        """Wait for a permit, for as long as it takes, and hold it while the workflow is created.

        A count that fails, for whatever reason, fails no request: it is repeated until it succeeds.

        Args:
            urgent: whether the request precedes those that are not urgent.
            since: the loop time from which on the request waits; by default now.
            while_waiting: entered for the duration of the wait.
        """
        permit = Permit()
        if self.policy.limit is None:
            yield permit
            return
        request = self._queue.add(urgent=urgent, since=_now() if since is None else since)
        admitted_at = await self._wait_for_admission(request, while_waiting)
        try:
            yield permit
        finally:
            self._finish(admitted_at, created=permit.used)

    def close(self) -> None:
        """End the task that counts; requests that still wait get no permit any more."""
        if self._counter:
            self._counter.cancel()

    async def _wait_for_admission(self, request: Request[float], while_waiting: WhileWaiting) -> float:
        """Wait until the request is admitted, and return the loop time of that."""
        self._admit_waiters()
        try:
            if request.turn.done():
                return request.turn.result()
            async with while_waiting(f"a permit in {self.name}"):
                return await request.turn
        except BaseException:
            self._abandon(request)
            raise

    def _abandon(self, request: Request[float]) -> None:
        self._queue.discard(request)
        if not request.turn.cancel() and not request.turn.cancelled():
            self._finish(request.turn.result(), created=False)  # admitted and cancelled in the same moment

    def _finish(self, admitted_at: float, *, created: bool) -> None:
        self._budget.finish(_now(), admitted_at, created=created)
        self._admit_waiters()

    def _admit_waiters(self) -> None:
        """Admit as many requests as the budget allows; for the others, see that the counting task runs."""
        while self._may_admit() and (request := self._queue.pop(_now())) is not None:
            if not request.turn.done():
                self._budget.admit(now := _now())
                request.turn.set_result(now)
        if self._budget.pending is not None:
            self.on_change(self._budget.pending)
        if len(self._queue) and self._counter is None:
            # Of no message: its log lines must not name the one that happens to start it.
            self._counter = Context().run(asyncio.create_task, self._count_while_needed())

    def _may_admit(self) -> bool:
        return self._budget.may_admit(_now(), self.policy.members())

    async def _count_while_needed(self) -> None:
        try:
            while len(self._queue):
                await self._count_when_due()
        finally:
            self._counter = None

    async def _count_when_due(self) -> None:
        try:
            due = max(self._budget.next_count_at(_now(), self.policy.members()), self.outage.retry_at)
            if due > _now():
                await asyncio.sleep(due - _now())
            else:
                await self._count()
        except Exception as error:  # noqa: BLE001 - of whatever type: a defect here must not end the task either
            self.outage.record_failure(_now(), error)

    async def _count(self) -> None:
        self._budget.begin_count(_now(), self.policy.members())
        counted = await self._count_in_time()
        self._budget.end_count(_now(), counted)
        self.outage.record_success(_now())
        self._admit_waiters()

    async def _count_in_time(self) -> int:
        try:
            return await asyncio.wait_for(self.count(), self.policy.timeout)
        except asyncio.TimeoutError as error:
            raise TemporaryError(f"the count has no answer after {self.policy.timeout:g} s") from error


def _now() -> float:
    return asyncio.get_running_loop().time()

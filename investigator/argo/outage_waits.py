# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a creation wait for the cluster's API without the turn and the permit that other creations need.

All kinds of workflow in a namespace share the turns of its quota and the permits. The creation of one kind may be
unavailable for hours. So a creation that meets its open breaker returns both, and waits without them. If it is the one
that probes, it may create its workflow there; otherwise it asks for a turn and a permit after the wait.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from investigator.argo.quota_refusals import QuotaRefusal
from investigator.argo.workflow_creation import CreateResult
from investigator.delivery.current_message import WhileWaiting, bind_message, current_context

Result: TypeAlias = CreateResult | QuotaRefusal
#: Creates the workflow; blocks.
Create = Callable[[], Result]
#: Runs a blocking call with quick retries and a breaker.
Run = Callable[[Create], Awaitable[Result]]


class HeldBackError(Exception):
    """The creation would have to wait for the cluster's API; ``may_exist`` tells whether a call may have created it."""

    def __init__(self, *, may_exist: bool) -> None:
        super().__init__("the creation is held back")
        self.may_exist = may_exist


class _NotAdmittedError(Exception):
    """The API is available again, so that the creation needs a turn and a permit."""


@dataclass(slots=True)
class _GuardedCreate:
    create: Create
    allowed: bool
    calls: int = 0

    def __call__(self) -> Result:
        if not self.allowed:
            raise _NotAdmittedError
        self.calls += 1
        return self.create()


async def run_unless_held_back(run: Run, create: Create) -> Result:
    """Run a creation that has a turn and a permit.

    Raises:
        HeldBackError: it would have to wait for the API.
    """
    guarded = _GuardedCreate(create, allowed=True)

    def refuse(_what: str) -> AbstractAsyncContextManager[None]:
        raise HeldBackError(may_exist=guarded.calls > 0)

    with _holding_back_by(refuse):
        return await run(guarded)


async def wait_and_probe(run: Run, create: Create) -> Result | None:
    """Wait for the API without turn and permit; return the result if this creation was the probe, else None."""
    guarded, while_held_back = _GuardedCreate(create, allowed=False), current_context().while_held_back

    @asynccontextmanager
    async def wait(what: str) -> AsyncIterator[None]:
        async with while_held_back(what):
            guarded.allowed = True
            try:
                yield
            finally:
                guarded.allowed = False

    with _holding_back_by(wait):
        try:
            return await run(guarded)
        except _NotAdmittedError:
            return None


@contextmanager
def _holding_back_by(while_held_back: WhileWaiting) -> Iterator[None]:
    context = current_context()
    with bind_message(
        context.message_key,
        context.while_waiting,
        while_held_back=while_held_back,
        while_calling=context.while_calling,
        report_progress=context.report_progress,
    ):
        yield

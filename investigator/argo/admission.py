# SPDX-License-Identifier: GPL-3.0-or-later
"""The waits before the creation of a workflow: for room in the quotas of its namespace, then for a permit."""

import asyncio
from dataclasses import dataclass

from investigator.argo.outage_waits import Create, HeldBackError, Result, Run, run_unless_held_back, wait_and_probe
from investigator.argo.pending_limit import PendingLimiter, Permit
from investigator.argo.quota import QuotaGate, QuotaView
from investigator.argo.quota_refusals import QuotaRefusal
from investigator.argo.workflow_creation import CreateResult
from investigator.delivery.current_message import current_context
from investigator.delivery.errors import PermanentError

# Creations that meet at a quota succeed one after the other; a conflict that lasts is treated as a full quota.
_CONFLICT_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """What creations in a namespace wait for, for pages; ``count_fails_since`` is in loop time.

    ``count_fails_since`` is None unless messages wait for a count that fails, ``quota`` unless they wait for room.
    """

    namespace: str
    count_fails_since: float | None
    count_error: str
    quota: QuotaView | None


@dataclass(frozen=True, slots=True)
class Admission:
    """Admits the creations of one namespace."""

    namespace: str
    limiter: PendingLimiter
    gate: QuotaGate

    @property
    def view(self) -> NamespaceView:
        """What creations wait for now."""
        outage = self.limiter.outage
        fails_since = outage.since if self.limiter.is_failing else None
        return NamespaceView(self.namespace, fails_since, outage.error, self.gate.view)

    async def create(self, run: Run, create: Create, *, urgent: bool) -> CreateResult:
        """Create a workflow when the namespace has room, and try again as often as a quota refuses it.

        Args:
            run: runs a blocking call with quick retries and a breaker.
            create: creates the workflow; may be called any number of times.
            urgent: whether the creation precedes those that are not urgent.

        Raises:
            PermanentError, TemporaryError: from ``run``.
        """
        since, result = asyncio.get_running_loop().time(), None
        while not isinstance(result, CreateResult):
            try:
                result = await self._create_in_turn(run, create, urgent=urgent, since=since)
            except HeldBackError:
                result = await wait_and_probe(run, create)
        return result

    async def _create_in_turn(self, run: Run, create: Create, *, urgent: bool, since: float) -> Result | None:
        """Create the workflow with a turn and a permit; return None if the turn expired before the permit came."""
        context = current_context()
        async with (
            self.gate.turn(urgent=urgent, since=since, while_waiting=context.while_held_back) as turn,
            self.limiter.acquire(urgent=urgent, since=since, while_waiting=context.while_waiting) as permit,
        ):
            if not self.gate.is_current(turn):  # a quota has refused others during the wait for the permit
                permit.cancel()
                return None
            result = await _attempt(run, create, permit)
            if isinstance(result, QuotaRefusal):
                turn.refuse(result)
            else:
                turn.succeed()
            return result

    def close(self) -> None:
        """End the tasks and timers; creations that still wait are not admitted any more."""
        self.limiter.close()
        self.gate.close()


async def _attempt(run: Run, create: Create, permit: Permit) -> Result:
    """Run ``create``, and return the permit if it certainly created nothing."""
    try:
        result = await _repeat_conflicts(run, create)
    except PermanentError:
        permit.cancel()
        raise
    except HeldBackError as error:
        if not error.may_exist:
            permit.cancel()
        raise
    if isinstance(result, QuotaRefusal) or not result.is_new:
        permit.cancel()
    return result


async def _repeat_conflicts(run: Run, create: Create) -> Result:
    for pause in _CONFLICT_PAUSES:
        result = await run_unless_held_back(run, create)
        if not isinstance(result, QuotaRefusal) or not result.is_conflict:
            break
        await asyncio.sleep(pause)
    return result

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the failures and successes of the operations of one dependency say about each other, without any waiting."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.operation_state import OperationState
from investigator.resilience.probe_schedule import ProbeSchedule


@dataclass(slots=True)
class DependencyState:
    """The operations of a dependency whose last calls failed; ``now`` is any monotonic clock in seconds."""

    policy: BreakerPolicy
    operations: dict[str, OperationState] = field(default_factory=dict)
    canary: ProbeSchedule = field(init=False)

    def __post_init__(self) -> None:
        self.canary = ProbeSchedule(self.policy)

    @property
    def is_down(self) -> bool:
        """Whether the dependency as a whole is unavailable: several operations fail, and none succeeds."""
        opened = [each for each in self.operations.values() if each.is_open]
        return not self.policy.independent and len(opened) > 1 and any(each.is_unexplained for each in opened)

    def is_open(self, operation: str) -> bool:
        """Return whether calls of the operation are held back."""
        state = self.operations.get(operation)
        return state is not None and state.is_open

    def admit(self, operation: str, now: float) -> bool:
        """Return whether a call may begin; in an outage of the whole dependency, hold its operation back."""
        if self.is_open(operation):
            return False
        if not self.is_down:
            return True
        self._state(operation, now).open_untested(now)
        return False

    def record_success(self, operation: str, now: float, started: float) -> None:
        """Record a response of whatever content to a call that began at ``started``."""
        ends_outage = self.is_down
        self.operations.pop(operation, None)
        if not self.policy.independent:
            for other in self.operations.values():
                other.record_other_success(now, started, ends_outage=ends_outage)

    def record_failure(
        self, operation: str, now: float, message_key: Hashable, error: TemporaryError, *, probe: bool = False
    ) -> None:
        """Record the failure of a call made for the message ``message_key``."""
        if probe:
            self.delay_probe(operation, now, error.delay)
        state = self._state(operation, now)
        state.record_failure(now, message_key, error)
        if not state.is_open and (state.is_outage or self._another_is_unexplained(operation)):
            self._open(state, now)

    def delay_probe(self, operation: str, now: float, requested: float | None = None) -> None:
        """Schedule the next probe of the operation after one that failed, whether that says anything about it or not.

        Args:
            operation: the operation that was probed.
            now: the present time.
            requested: the seconds for which the server asked for no requests (Retry-After).
        """
        if state := self.operations.get(operation):
            state.delay_probe(now, requested)
            if self.is_down and not state.is_untested:
                self.canary.delay(now, requested)

    def open(self, operation: str, now: float, error: TemporaryError, since: float) -> bool:
        """Open the breaker over a lone call whose quick retries are exhausted; return whether it is open.

        Args:
            operation: the operation of the call.
            now: the present time.
            error: its last failure.
            since: when its first failure ended. If another call succeeded since, the failure is the message's own.
        """
        state = self.operations.get(operation)
        if state is None:
            return False
        if not state.is_open and isinstance(error, UnavailableError) and state.failing_since <= since:
            self._open(state, now)
        return state.is_open

    def is_exhausted(self, operation: str, now: float) -> bool:
        """Return whether calls have waited long enough for an operation whose failure is its own."""
        state = self.operations.get(operation)
        if state is None or self.is_down:
            return False
        since = state.opened_at if self.policy.independent else state.own_since
        return since is not None and now - max(since, state.waited_since) >= self.policy.patience

    def begin_wait(self, operation: str, now: float) -> None:
        """Record that a call waits for an open operation that no other call waits for."""
        if state := self.operations.get(operation):
            state.begin_wait(now)

    def next_probe(self, waiting: Collection[str], probing: Collection[str]) -> tuple[float, str] | None:
        """Return which operation has to be probed next, and when; None if none has to be.

        Args:
            waiting: the operations that calls wait for.
            probing: the operations that are being probed.
        """
        due = {name: self.operations[name] for name in waiting if name not in probing and self.is_open(name)}
        if not self.is_down:
            return min(((state.probes.at, name) for name, state in due.items()), default=None)
        probes = [(state.probes.at, name) for name, state in due.items() if state.is_untested]
        canaries = [(state.probed_at, name) for name, state in due.items() if not state.is_untested]
        if canaries and not self._is_probing_canary(probing):
            probes.append((self.canary.at, min(canaries)[1]))
        return min(probes, default=None)

    def forget(self, now: float, needed: Collection[str]) -> bool:
        """Drop the operations that nothing has needed for long, and the oldest of too many; return whether any."""
        idle = sorted((state.failed_at, name) for name, state in self.operations.items() if name not in needed)
        excess = len(self.operations) - self.policy.max_operations
        for position, (failed_at, name) in enumerate(idle):
            if position < excess or now - failed_at >= self.policy.forget_after:
                del self.operations[name]
        return excess > 0 or any(name not in self.operations for _, name in idle)

    def _is_probing_canary(self, probing: Collection[str]) -> bool:
        return any(name in self.operations and not self.operations[name].is_untested for name in probing)

    def _another_is_unexplained(self, operation: str) -> bool:
        others = (state for name, state in self.operations.items() if name != operation)
        return not self.policy.independent and any(other.is_unexplained for other in others)

    def _open(self, state: OperationState, now: float) -> None:
        was_down = self.is_down
        state.open(now)
        if self.is_down and not was_down:
            self.canary.begin(now, state.requested_delay)

    def _state(self, operation: str, now: float) -> OperationState:
        return self.operations.setdefault(operation, OperationState(self.policy, now))

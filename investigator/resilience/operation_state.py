# SPDX-License-Identifier: GPL-3.0-or-later
"""The breaker of one operation: the decisions, without any waiting."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from investigator.delivery.errors import TemporaryError, UnavailableError
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.probe_schedule import ProbeSchedule


@dataclass(slots=True)
class OperationState:
    """An operation whose last calls failed; it is dropped at its next success. ``now`` is any monotonic clock.

    Attributes:
        policy: when the breaker opens.
        failing_since: when the first of the failures in a row ended.
        failures: how many in a row.
        opened_at: when the breaker opened; None while it is closed.
        own_since: since when others of the dependency succeed, so that the failure is this operation's own.
        is_untested: whether it is held back without a failed call, because the dependency as a whole is unavailable.
        error: the text of the last failure; its exception would keep a traceback and its connection alive.
        requested_delay: the seconds for which the server asked for no requests in it.
        failed_at: when that was.
        probed_at: when its last probe ended.
        waited_since: when calls began to wait for it again after nothing had waited; 0 at first.
        probes: when the next probe is due.
    """

    policy: BreakerPolicy
    failing_since: float
    failures: int = 0
    opened_at: float | None = None
    own_since: float | None = None
    is_untested: bool = False
    error: str | None = None
    requested_delay: float | None = None
    failed_at: float = 0.0
    probed_at: float = 0.0
    waited_since: float = 0.0
    probes: ProbeSchedule = field(init=False)
    _unavailable: int = 0
    _messages: set[Hashable] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.failed_at = self.failing_since
        self.probes = ProbeSchedule(self.policy)

    @property
    def is_open(self) -> bool:
        """Whether its calls are held back."""
        return self.opened_at is not None

    @property
    def is_unexplained(self) -> bool:
        """Whether it may be the whole dependency that is unavailable: nothing else has succeeded meanwhile."""
        return self.is_open and self.own_since is None

    @property
    def is_outage(self) -> bool:
        """Whether the failures are too many to be those of single messages."""
        many = len(self._messages) >= self.policy.messages
        return (self.failures if many else self._unavailable) >= self.policy.failures

    def record_failure(self, now: float, message_key: Hashable, error: TemporaryError) -> None:
        """Record a failed call that was made for the message ``message_key``."""
        self.error, self.requested_delay = str(error), error.delay
        self.failed_at, self.is_untested = now, False
        self.failures += 1
        self._unavailable += isinstance(error, UnavailableError)
        if len(self._messages) < self.policy.messages:
            self._messages.add(message_key)

    def delay_probe(self, now: float, requested: float | None) -> None:
        """Schedule the next probe after one that failed, not before the ``requested`` seconds (Retry-After)."""
        self.probed_at = now
        self.probes.delay(now, requested)

    def open(self, now: float) -> None:
        """Hold calls back from now on."""
        self.opened_at = self.probed_at = now
        self.probes.begin(now, self.requested_delay)

    def open_untested(self, now: float) -> None:
        """Hold calls back until the first of them, which is made at once, shows whether they succeed."""
        self.open(now)
        self.probes.hasten(now)
        self.is_untested = True

    def begin_wait(self, now: float) -> None:
        """Record that a call waits while no other one does; its patience starts again if a probe is long overdue."""
        if now - self.probes.at > self.policy.max_probe_interval:
            self.waited_since = now

    def record_other_success(self, now: float, started: float, *, ends_outage: bool) -> None:
        """Record that a call of another operation succeeded.

        Args:
            now: when it ended.
            started: when it began; a call from before this outage shows nothing.
            ends_outage: whether the dependency as a whole was unavailable until now.
        """
        if self.opened_at is None or started < self.opened_at:
            return
        if self.own_since is None or ends_outage:
            self.own_since = now
            self.probes.hasten(now)

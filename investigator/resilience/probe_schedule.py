# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next probe of an outage is due: at intervals that double, or later if the server asks for it."""

from dataclasses import dataclass

from investigator.resilience.breaker_policy import BreakerPolicy


@dataclass(slots=True)
class ProbeSchedule:
    """The time of the next probe; ``now`` is any monotonic clock in seconds."""

    policy: BreakerPolicy
    at: float = 0.0
    _interval: float = 0.0

    def begin(self, now: float, requested: float | None = None) -> None:
        """Schedule the first probe of an outage, not before the ``requested`` seconds (Retry-After)."""
        self._interval = self.policy.initial_probe_interval / 2
        self.delay(now, requested)

    def delay(self, now: float, requested: float | None = None) -> None:
        """Schedule the next probe after one that failed, with the ``requested`` seconds of `begin`."""
        self._interval = min(self._interval * 2, self.policy.max_probe_interval)
        self.at = now + max(self._interval, min(requested or 0.0, self.policy.max_delay))

    def hasten(self, now: float) -> None:
        """Probe at once: something shows that the outage may be over."""
        self.begin(now)
        self.at = now

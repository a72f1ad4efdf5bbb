# SPDX-License-Identifier: GPL-3.0-or-later
"""When a breaker opens, how often it probes, and how long its calls wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, how often it probes, and how long its calls wait; times in seconds.

    Attributes:
        failures: in a row; a few lost connections, or one call with all its quick retries, are no outage.
        messages: one message may itself cause the dependency's errors; three different ones do not.
        initial_probe_interval: most outages are restarts, and last some seconds.
        max_probe_interval: bounds how late the end of an outage is noticed; four calls a minute are no load.
        max_delay: a longer Retry-After is considered a mistake.
        patience: how long calls wait for an operation that fails while others succeed; longer than a restart takes.
        independent: whether the operations concern different systems, so that none says anything about another.
        max_operations: of how many operations failures are remembered, besides those that calls wait for.
        forget_after: an operation that nothing needs for this long may have recovered.
    """

    failures: int = 10
    messages: int = 3
    initial_probe_interval: float = 1.0
    max_probe_interval: float = 15.0
    max_delay: float = 60.0
    patience: float = 120.0
    independent: bool = False
    max_operations: int = 100
    forget_after: float = 300.0

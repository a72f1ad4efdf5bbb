# SPDX-License-Identifier: GPL-3.0-or-later
"""Breakers for tests that look at the error of a call during an outage."""

from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.breaker_policy import BreakerPolicy


def impatient_breakers(dependency: str) -> BreakerGroup:
    """Return breakers whose calls probe at once and then fail, instead of waiting for the end of the outage."""
    return BreakerGroup(dependency, BreakerPolicy(independent=True, patience=0.0, initial_probe_interval=0.001))

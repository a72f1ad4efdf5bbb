# SPDX-License-Identifier: GPL-3.0-or-later
"""An outage of the count of pending workflows: since when, why, and when to count again.

The count is shared by all messages of a namespace and belongs to none. So its failures, refusals included, end in a
retry and in one line of the log, never in a failed message.
"""

import logging
from dataclasses import dataclass, field

from urllib3.exceptions import HTTPError

from investigator.argo.http import ApiError
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.resilience.breaker_policy import BreakerPolicy
from investigator.resilience.probe_schedule import ProbeSchedule

_LOGGER = logging.getLogger(__name__)

# Most failures are single lost answers, and twelve requests a minute are no load.
_REPETITION = BreakerPolicy(initial_probe_interval=1.0, max_probe_interval=5.0)


@dataclass(slots=True)
class CountOutage:
    """The failures of the count of one namespace since its last success; ``now`` is loop time."""

    namespace: str
    since: float | None = None
    error: str = ""
    _schedule: ProbeSchedule = field(default_factory=lambda: ProbeSchedule(_REPETITION))

    @property
    def retry_at(self) -> float:
        """When the next count may begin, as far as the failures decide it."""
        return self._schedule.at

    def record_failure(self, now: float, error: Exception) -> None:
        """Record a failed count, and decide when the next one may begin."""
        self.error = str(error) or type(error).__name__
        if self.since is None:
            self._begin(now, error)
        else:
            self._schedule.delay(now, _requested_delay(error))

    def record_success(self, now: float) -> None:
        """Record a count that succeeded."""
        if self.since is not None:
            _LOGGER.warning(
                "Pending workflows are counted again; messages continue namespace=%s seconds=%.0f",
                self.namespace,
                now - self.since,
            )
        self.since = None

    def _begin(self, now: float, error: Exception) -> None:
        self.since = now
        self._schedule.begin(now, _requested_delay(error))
        is_known = isinstance(error, ApiError | HTTPError | PermanentError | TemporaryError)
        _LOGGER.error(
            "Pending workflows can't be counted; messages that need the count wait namespace=%s error=%s",
            self.namespace,
            self.error,
            exc_info=None if is_known else error,
        )


def _requested_delay(error: Exception) -> float | None:
    """Return the seconds for which the server asked for no requests; None if it did not ask."""
    return error.retry_after if isinstance(error, ApiError) else getattr(error, "delay", None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""An outage of the count of pending workflows: since when, why, and when to count again.

The count is shared by all messages of a namespace and belongs to none. So its failures, refusals included, end in a
retry and in one line of the log, never in a failed message.
"""

import logging
import math
from dataclasses import dataclass

from urllib3.exceptions import HTTPError

from investigator.argo.http import ApiError
from investigator.delivery.errors import PermanentError, TemporaryError

_LOGGER = logging.getLogger(__name__)

_INITIAL_PAUSE = 1.0  # most failures are single lost answers
_MAX_PAUSE = 5.0  # bounds how late the end of an outage is noticed; twelve requests a minute are no load
_MAX_DELAY = 60.0  # a longer Retry-After is considered a mistake


@dataclass(slots=True)
class CountOutage:
    """The failures of the count of one namespace since its last success; ``now`` is loop time."""

    namespace: str
    since: float | None = None
    error: str = ""
    retry_at: float = -math.inf
    _pause: float = 0.0

    def record_failure(self, now: float, error: Exception) -> None:
        """Record a failed count, and decide when the next one may begin."""
        self.error = str(error) or type(error).__name__
        if self.since is None:
            self._begin(now, error)
        self._pause = min(self._pause * 2, _MAX_PAUSE)
        self.retry_at = now + max(self._pause, min(_requested_delay(error), _MAX_DELAY))

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
        self._pause = _INITIAL_PAUSE / 2
        is_known = isinstance(error, ApiError | HTTPError | PermanentError | TemporaryError)
        _LOGGER.error(
            "Pending workflows can't be counted; messages that need the count wait namespace=%s error=%s",
            self.namespace,
            self.error,
            exc_info=None if is_known else error,
        )


def _requested_delay(error: Exception) -> float:
    """Return the seconds for which the server asked for no requests; 0 if it did not ask."""
    requested = error.retry_after if isinstance(error, ApiError) else getattr(error, "delay", None)
    return requested or 0.0

# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is in hand at once."""

from dataclasses import dataclass, field

from investigator.delivery.errors import PermanentError, TemporaryError


@dataclass(frozen=True)
class RetryPolicy:
    """How often a message is tried, and how long to wait in between.

    Args:
        attempts: attempts in all.
        backoff: before attempt i + 1 (i >= 1) the engine waits i * backoff seconds.
        longest_delay: the other side may ask for a longer wait, up to so many seconds; more is taken for a mistake.
    """

    max_attempts: int = 5
    backoff: float = 0.5
    max_delay: float = 300.0

    def pause(self, failed: int, error: Exception) -> float:
        """Give the seconds to wait after so many failed attempts; not less than what the other side asked for."""
        asked = error.delay if isinstance(error, TemporaryError) else None
        return max(failed * self.backoff, min(asked or 0.0, self.max_delay))

    def allows_retry(self, failed: int, error: Exception) -> bool:
        """Tell whether another attempt may help."""
        return not isinstance(error, PermanentError) and failed < self.max_attempts


@dataclass(frozen=True)
class DispatchPolicy:
    """How much is taken up at once.

    Args:
        workers: how many messages are worked on at once, over all topics.
        in_hand: how many messages of one topic are held in memory, worked on or waiting.
        max_ahead: how far beyond the first unfinished offset of a partition messages are taken up.
        retry: attempts and pauses.
    """

    concurrency: int = 20
    max_in_flight: int = 80
    max_offset_lead: int = 1000
    retry: RetryPolicy = field(default_factory=RetryPolicy)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How many messages are in flight, and how often and how fast a failed one is retried."""

from dataclasses import dataclass, field

from investigator.delivery.errors import PermanentError, TemporaryError


@dataclass(frozen=True)
class RetryPolicy:
    """How often a message is attempted, and the pauses in between.

    Args:
        max_attempts: the number of attempts, the first one included.
        backoff: the pause before attempt i + 1 (i >= 1) is i * backoff seconds.
        max_delay: a server may ask for a longer pause, up to this number of seconds; more is taken for a mistake.
    """

    max_attempts: int = 5
    backoff: float = 0.5
    max_delay: float = 300.0

    def pause(self, failed: int, error: Exception) -> float:
        """Return the seconds to wait after this number of failed attempts; not less than the server asked for."""
        asked = error.delay if isinstance(error, TemporaryError) else None
        return max(failed * self.backoff, min(asked or 0.0, self.max_delay))

    def allows_retry(self, failed: int, error: Exception) -> bool:
        """Return whether another attempt is left and may succeed."""
        return not isinstance(error, PermanentError) and failed < self.max_attempts


@dataclass(frozen=True)
class DispatchPolicy:
    """How many messages are in flight.

    Args:
        concurrency: how many messages are processed at once, over all topics.
        max_in_flight: how many messages of one topic are in memory, processed or waiting, those held back aside.
        max_held_back: how many messages of all topics may be held back and make room for others, which may need
            something that is available.
        max_held_back_bytes: how many bytes their values may have.
        topics: how many topics the worker consumes; half of the room for those held back is divided among them, and
            the other half is for any topic that needs more.
        max_offset_lead: how many offsets of a partition may be accepted, counted from its first unfinished one.
        retry: attempts and pauses.
    """

    concurrency: int = 20
    max_in_flight: int = 80
    max_held_back: int = 1000
    max_held_back_bytes: int = 32 * 2**20
    topics: int = 1
    max_offset_lead: int = 1000
    retry: RetryPolicy = field(default_factory=RetryPolicy)

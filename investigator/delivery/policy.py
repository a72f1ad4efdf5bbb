# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is in hand at once."""

from dataclasses import dataclass, field

from investigator.delivery.retry import RetryPolicy


@dataclass(frozen=True)
class DispatchPolicy:
    """How much is taken up at once.

    Args:
        workers: how many messages are worked on at once, over all topics.
        in_hand: how many messages of one topic are held in memory, worked on or waiting.
        max_ahead: how far beyond the first unfinished offset of a partition messages are taken up.
        retry: attempts and pauses.
    """

    workers: int = 20
    in_hand: int = 80
    max_ahead: int = 1000
    retry: RetryPolicy = field(default_factory=RetryPolicy)

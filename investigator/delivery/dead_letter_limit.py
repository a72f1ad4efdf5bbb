# SPDX-License-Identifier: GPL-3.0-or-later
"""How many dead letters a topic may have before it is halted instead."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DeadLetterLimit:
    """How many dead letters a topic may have before they look like a fault of ours, as after a bad deployment.

    Args:
        consecutive: so many dead letters without a good message in between halt the topic.
        share: so large a part of the last `window` messages halts it too.
        window: how many messages the share is taken of; fewer than that are no sample.
    """

    max_consecutive: int = 1000
    max_ratio: float = 0.95
    window: int = 1000

    def is_exceeded(self, outcomes: Sequence[bool]) -> bool:
        """Tell whether the next dead letter would be one too many, after these outcomes (True: handled well)."""
        run = 0
        for handled in reversed(outcomes):
            if handled:
                break
            run += 1
        if run >= self.max_consecutive:
            return True
        return len(outcomes) >= self.window and outcomes.count(False) / len(outcomes) >= self.max_ratio


class DeadLetterLimiter:
    """Remembers how the last messages of each topic ended, and applies the limit."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self._limit = limit
        length = max(limit.window, limit.max_consecutive)
        self._outcomes: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=length))

    def record(self, topic: str, *, handled: bool) -> None:
        """Note how a message ended: handled well, or kept as a dead letter."""
        self._outcomes[topic].append(handled)

    def allow_dead_letter(self, topic: str) -> bool:
        """Tell whether the topic may have another dead letter; once it may not, the count starts afresh."""
        if self._limit.is_exceeded(self._outcomes[topic]):
            self._outcomes[topic].clear()
            return False
        return True

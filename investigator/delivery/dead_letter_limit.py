# SPDX-License-Identifier: GPL-3.0-or-later
"""How many dead letters a topic may have before it is halted instead."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DeadLetterLimit:
    """How many dead letters a topic may have; more look like a fault of the workers, as after a bad deployment.

    Args:
        max_consecutive: the topic is halted after this number of dead letters without a handled message in between.
        max_ratio: it is also halted when this share of the last `window` messages became dead letters.
        window: the number of messages over which the ratio is computed; fewer messages are no sample.
    """

    max_consecutive: int = 1000
    max_ratio: float = 0.95
    window: int = 1000

    def is_exceeded(self, outcomes: Sequence[bool]) -> bool:
        """Return whether the next dead letter would exceed the limit, after these outcomes (True: handled)."""
        consecutive = 0
        for handled in reversed(outcomes):
            if handled:
                break
            consecutive += 1
        if consecutive >= self.max_consecutive:
            return True
        return len(outcomes) >= self.window and outcomes.count(False) / len(outcomes) >= self.max_ratio


class DeadLetterLimiter:
    """Records the outcomes of the last messages of each topic, and applies the limit."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self._limit = limit
        length = max(limit.window, limit.max_consecutive)
        self._outcomes: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=length))

    def record(self, topic: str, *, handled: bool) -> None:
        """Record the outcome of a message: handled, or a dead letter."""
        self._outcomes[topic].append(handled)

    def allow_dead_letter(self, topic: str) -> bool:
        """Return whether the topic may have another dead letter; a refusal resets the outcomes of the topic."""
        if self._limit.is_exceeded(self._outcomes[topic]):
            self._outcomes[topic].clear()
            return False
        return True

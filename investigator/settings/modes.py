# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker may be there for: each mode has handlers of its own, and a deployment runs one or several."""

from enum import Enum


class Mode(str, Enum):
    """A mode of a worker, as THOTH_CONSUMER_MODE names it."""

    MIDDLETIER = "middletier"
    BACKEND = "backend"
    METRICS = "metrics"

    def __str__(self) -> str:
        """Give the name that the environment uses."""
        return self.value

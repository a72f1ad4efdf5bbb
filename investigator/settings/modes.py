# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes of a worker: each mode has its own handlers, and a deployment runs one mode or several."""

from enum import Enum


class Mode(str, Enum):
    """A mode of a worker, as THOTH_CONSUMER_MODE names it."""

    MIDDLETIER = "middletier"
    BACKEND = "backend"
    METRICS = "metrics"

    def __str__(self) -> str:
        """Return the name that THOTH_CONSUMER_MODE uses."""
        return self.value

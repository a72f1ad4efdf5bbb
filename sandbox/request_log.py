# SPDX-License-Identifier: GPL-3.0-or-later
"""A log of the requests to an embedded server."""

from collections import Counter
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["LoggedRequest", "RequestLog"]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request and its outcome."""

    method: str
    path: str
    query: str
    status: int | None  # None if the connection was closed without a reply
    faults: tuple[str, ...]  # the effects of the faults that applied
    started: float  # seconds since the epoch
    seconds: float

    def matches(self, method: str, path: str) -> bool:
        """Return whether the request has that method ("*" for any) and its path matches the glob pattern."""
        return method in ("*", self.method) and fnmatchcase(self.path, path)


class RequestLog:
    """The requests, in the order in which they ended."""

    def __init__(self) -> None:
        """Start with an empty log."""
        self.calls: list[LoggedRequest] = []

    def find(self, method: str = "*", path: str = "*") -> list[LoggedRequest]:
        """Return the requests with that method and a path that matches the glob pattern."""
        return [call for call in list(self.calls) if call.matches(method, path)]

    def statuses(self, method: str = "*", path: str = "*") -> Counter[int | None]:
        """Return the number of replies by status; None stands for connections closed without a reply."""
        return Counter(call.status for call in self.find(method, path))

    def clear(self) -> None:
        """Empty the log."""
        self.calls.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Return the log as JSON objects."""
        return [asdict(call) for call in list(self.calls)]

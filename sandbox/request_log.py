# SPDX-License-Identifier: GPL-3.0-or-later
"""A record of every request that an embedded server was sent."""

from collections import Counter
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["LoggedRequest", "RequestLog"]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request and what became of it."""

    method: str
    path: str
    query: str
    status: int | None  # None where the connection was cut instead of a reply
    faults: tuple[str, ...]  # the effects of the faults that it met
    started: float  # seconds since the epoch
    seconds: float

    def matches(self, method: str, path: str) -> bool:
        """Tell whether the request has that method and a path like that glob pattern ("*" is any)."""
        return method in ("*", self.method) and fnmatchcase(self.path, path)


class RequestLog:
    """The requests in the order in which they ended."""

    def __init__(self) -> None:
        """Start empty."""
        self.calls: list[LoggedRequest] = []

    def find(self, method: str = "*", path: str = "*") -> list[LoggedRequest]:
        """Give the requests with that method and a path like that glob pattern."""
        return [call for call in list(self.calls) if call.matches(method, path)]

    def statuses(self, method: str = "*", path: str = "*") -> Counter[int | None]:
        """Count the replies by status; None counts the connections that were cut."""
        return Counter(call.status for call in self.find(method, path))

    def clear(self) -> None:
        """Forget what was recorded."""
        self.calls.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Give the record in a form that json.dumps takes."""
        return [asdict(call) for call in list(self.calls)]

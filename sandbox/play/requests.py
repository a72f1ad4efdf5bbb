# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of advisers. In production the request lies in the object store under the id of the adviser's job."""

from dataclasses import dataclass
from hashlib import sha256

__all__ = ["AdviceRequest", "Need", "RequestStore", "job_id"]


@dataclass(frozen=True)
class Need:
    """A package that a project asks for; without a version any will do."""

    name: str
    version: str | None
    index_url: str


@dataclass(frozen=True)
class AdviceRequest:
    """A project that wants advice: what it needs, in which environment, and who asks for it."""

    solver: str
    needs: tuple[Need, ...]
    source_type: str = "CLI"
    origin: str | None = None


class RequestStore:
    """Keeps requests by the id of the adviser's job, and what a repository would ask for by the repository's URL."""

    def __init__(self) -> None:
        self._requests: dict[str, AdviceRequest] = {}

    def place(self, key: str, request: AdviceRequest) -> None:
        """Put a request under an id or URL."""
        self._requests[key] = request

    def find(self, key: str) -> AdviceRequest:
        """Give the request under an id or URL; raises LookupError where there is none."""
        if key not in self._requests:
            raise LookupError(f"nobody asked for an advice under {key}")
        return self._requests[key]


def job_id(prefix: str, number: int, now: str) -> str:
    """Give an id as user-api makes it; `now` is the time as yymmddHHMMSS."""
    return f"{prefix}-{now}-{sha256(f'{prefix} {number}'.encode()).hexdigest()[:16]}"

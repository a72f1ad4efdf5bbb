# SPDX-License-Identifier: GPL-3.0-or-later
"""The input of advisers. In production user-api stores it in Ceph (S3) under the adviser's job id."""

from dataclasses import dataclass
from hashlib import sha256

__all__ = ["AdviceRequest", "PackageRequirement", "RequestStore", "job_id"]


@dataclass(frozen=True)
class PackageRequirement:
    """A package that a project requires; the version None means any version."""

    name: str
    version: str | None
    index_url: str


@dataclass(frozen=True)
class AdviceRequest:
    """A request for advice on a project's software stack.

    Attributes:
        solver: the solver for the project's environment.
        requirements: the packages that the project requires.
        source_type: the client that asks, such as CLI or KEBECHET.
        origin: the URL of the project's repository; None for a user's request without one.
    """

    solver: str
    requirements: tuple[PackageRequirement, ...]
    source_type: str = "CLI"
    origin: str | None = None


class RequestStore:
    """The requests for advice, by the adviser's job id; what a repository requires, by the repository's URL."""

    def __init__(self) -> None:
        self._requests: dict[str, AdviceRequest] = {}

    def put(self, key: str, request: AdviceRequest) -> None:
        """Store a request under a job id or URL."""
        self._requests[key] = request

    def find(self, key: str) -> AdviceRequest:
        """Return the request under a job id or URL.

        Raises:
            LookupError: there is no such request.
        """
        if key not in self._requests:
            raise LookupError(f"no request for advice is stored under {key}")
        return self._requests[key]


def job_id(prefix: str, number: int, now: str) -> str:
    """Return a job id in the form of user-api; `now` is the time as yymmddHHMMSS."""
    return f"{prefix}-{now}-{sha256(f'{prefix} {number}'.encode()).hexdigest()[:16]}"

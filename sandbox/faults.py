# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults to inject into a running embedded server."""

import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from sandbox.recorded import HTTP, RecordedAnswer

__all__ = ["Effect", "Fault", "Faults"]

# Effects that combine with each other and with one of the others.
_COMBINED = ("latency", "warning")

Effect = Literal[
    "status",  # do not execute the request; answer with `status`, and with `retry_after` if given
    "latency",  # wait `seconds` first; several latencies add up
    "hang",  # do not execute the request and do not answer until the fault is removed
    "reset",  # do not execute the request; reset the connection
    "lost",  # execute the request, then reset the connection instead of replying
    "answer",  # do not execute the request; send the recorded answer named `answer`
    "disguise",  # execute the request, then send the recorded answer named `answer` instead of the reply
    "warning",  # add a Warning header with `text` to the reply; combines with other faults, as latencies do
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: its effect, the requests that it applies to, and how often.

    `method` and `path` are glob patterns. `namespace` and `body` (a part of the request's body) restrict the fault only
    if they are given. `probability` applies to each request; `count` is the number of requests that the fault affects.
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    namespace: str | None = None
    body: str = ""
    status: int = 500
    retry_after: float | None = None  # seconds
    seconds: float = 0.0
    answer: str = ""  # the name of an answer in sandbox/recorded
    text: str = ""  # of a Warning header
    probability: float = 1.0
    count: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for the name of an answer that is not recorded, or a missing one."""
        needs_answer = self.effect in {"answer", "disguise"}
        if (needs_answer or self.answer) and self.answer not in HTTP:
            raise ValueError(f"no answer {self.answer!r} is recorded in sandbox/recorded")

    def recorded(self) -> RecordedAnswer:
        """Return the recorded answer."""
        return HTTP[self.answer]

    def matches(self, method: str, path: str, body: str) -> bool:
        """Return whether the fault applies to a request with this method, path and body."""
        return (
            fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
            and (self.namespace is None or f"/namespaces/{self.namespace}/" in f"{path}/")
            and self.body in body
        )


class Faults:
    """The active faults of a server; any thread may change them."""

    def __init__(self, seed: int = 0) -> None:
        """Start without faults; `seed` is the seed of the random choices for faults with a probability."""
        self._random = random.Random(seed)  # noqa: S311 - a repeatable sequence, not a secret
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._uses: Counter[int] = Counter()

    def set(self, *faults: Fault) -> None:
        """Replace all faults by these; their counts start from zero."""
        with self._lock:
            self._faults = list(faults)
            self._uses.clear()

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self.set()

    def active(self) -> list[Fault]:
        """Return all faults, including those whose count is reached."""
        return list(self._faults)

    def have_met_requests(self) -> bool:
        """Return whether a request has met any of the faults since they were set."""
        return self._uses.total() > 0

    def reads_bodies(self) -> bool:
        """Return whether any fault has a condition on the request's body."""
        return any(fault.body for fault in self._faults)

    def pick(self, method: str, path: str, body: str) -> list[Fault]:
        """Return the faults for one request, and count them: all latencies and warnings, then at most one other."""
        with self._lock:
            candidates = self._applicable(method, path, body)
            chosen = [*_combined(candidates), *_first_other(candidates)]
            self._uses.update(index for index, _ in chosen)
        return [fault for _, fault in chosen]

    def _applicable(self, method: str, path: str, body: str) -> list[tuple[int, Fault]]:
        return [
            (index, fault)
            for index, fault in enumerate(self._faults)
            if fault.matches(method, path, body)
            and (fault.count is None or self._uses[index] < fault.count)
            and (fault.probability >= 1.0 or self._random.random() < fault.probability)
        ]


def _combined(candidates: Iterable[tuple[int, Fault]]) -> list[tuple[int, Fault]]:
    return [(index, fault) for index, fault in candidates if fault.effect in _COMBINED]


def _first_other(candidates: Iterable[tuple[int, Fault]]) -> list[tuple[int, Fault]]:
    return [(index, fault) for index, fault in candidates if fault.effect not in _COMBINED][:1]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that an embedded server can be told to have, while it runs."""

import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

__all__ = ["Effect", "Fault", "Faults"]

Effect = Literal[
    "status",  # answer with `status`, and `retry_after` if given, instead of doing it
    "latency",  # wait `seconds` first; adds up with other faults
    "hang",  # do nothing and answer nothing until the fault is taken away
    "reset",  # cut the connection without doing it
    "lost",  # do it, then cut the connection instead of the reply
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, for which requests, how often.

    `method` and `path` are compared by glob patterns, `namespace` and `body` (a part of the request's body) only if
    given. `probability` is per request; after `count` requests the fault is used up.
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    namespace: str | None = None
    body: str = ""
    status: int = 500
    retry_after: float | None = None  # seconds
    seconds: float = 0.0
    probability: float = 1.0
    count: int | None = None

    def matches(self, method: str, path: str, body: str) -> bool:
        """Tell whether the fault is meant for such a request."""
        return (
            fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
            and (self.namespace is None or f"/namespaces/{self.namespace}/" in f"{path}/")
            and self.body in body
        )


class Faults:
    """The faults that are switched on; may be changed from any thread."""

    def __init__(self, seed: int = 0) -> None:
        """Start without faults; `seed` decides what those with a probability hit."""
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated, not a secret
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._uses: Counter[int] = Counter()

    def set(self, *faults: Fault) -> None:
        """Have exactly these faults from now on; their counts start anew."""
        with self._lock:
            self._faults = list(faults)
            self._uses.clear()

    def add(self, fault: Fault) -> None:
        """Have this fault too."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Have none."""
        self.set()

    def active(self) -> list[Fault]:
        """Give the faults that are switched on, used up or not."""
        return list(self._faults)

    def reads_bodies(self) -> bool:
        """Tell whether any fault asks for a part of the request's body."""
        return any(fault.body for fault in self._faults)

    def pick(self, method: str, path: str, body: str) -> list[Fault]:
        """Give what a request meets: any number of latencies, then at most one other fault; counts their use."""
        with self._lock:
            hits = self._hits(method, path, body)
            chosen = [*_latencies(hits), *_first_other(hits)]
            self._uses.update(index for index, _ in chosen)
        return [fault for _, fault in chosen]

    def _hits(self, method: str, path: str, body: str) -> list[tuple[int, Fault]]:
        return [
            (index, fault)
            for index, fault in enumerate(self._faults)
            if fault.matches(method, path, body)
            and (fault.count is None or self._uses[index] < fault.count)
            and (fault.probability >= 1.0 or self._random.random() < fault.probability)
        ]


def _latencies(hits: Iterable[tuple[int, Fault]]) -> list[tuple[int, Fault]]:
    return [hit for hit in hits if hit[1].effect == "latency"]


def _first_other(hits: Iterable[tuple[int, Fault]]) -> list[tuple[int, Fault]]:
    return [hit for hit in hits if hit[1].effect != "latency"][:1]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A TTL cache for many threads."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TTLCache(Generic[K, V]):
    """A cache whose entries expire after ``seconds``; one thread at a time calls ``fetch`` for a key.

    An exception of ``fetch`` reaches the caller and is not cached.
    """

    def __init__(self, fetch: Callable[[K], V], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[K, tuple[float, V]] = {}  # when the entry expires, and its value
        self._locks: defaultdict[K, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: K) -> V:
        """Return the value of a key, from the cache unless it has expired."""
        with self._locks[key]:
            if (entry := self._entries.get(key)) and self._clock() < entry[0]:
                return entry[1]
            return self._refresh(key)

    def get_if_changed(self, key: K, value: V) -> V | None:
        """Return the current value of a key if it is not ``value``, else None.

        Fetches the value, unless another thread has replaced ``value`` in the cache already.
        """
        with self._locks[key]:
            entry = self._entries.get(key)
            current = entry[1] if entry and entry[1] != value else self._refresh(key)
            return current if current != value else None

    def _refresh(self, key: K) -> V:
        value = self._fetch(key)
        self._entries[key] = (self._clock() + self._seconds, value)
        return value

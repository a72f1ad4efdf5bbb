# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are fetched once and kept for a while, for many threads."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TTLCache(Generic[K, V]):
    """Fetches the value of a key with ``fetch``, in one thread at a time, and keeps it for ``seconds``."""

    def __init__(self, fetch: Callable[[K], V], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._values: dict[K, tuple[float, V]] = {}
        self._locks: defaultdict[K, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: K) -> V:
        """Give the value of a key, from memory if it is not too old."""
        with self._locks[key]:
            if (kept := self._values.get(key)) and self._clock() < kept[0]:
                return kept[1]
            return self._renew(key)

    def get_if_changed(self, key: K, value: V) -> V | None:
        """Give the value of a key as it is now if it is not ``value``, None if nothing has changed."""
        with self._locks[key]:
            kept = self._values.get(key)
            latest = kept[1] if kept and kept[1] != value else self._renew(key)
            return latest if latest != value else None

    def _renew(self, key: K) -> V:
        value = self._fetch(key)
        self._values[key] = (self._clock() + self._seconds, value)
        return value

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools of HTTP connections that are replaced when the TLS settings change."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import urllib3


class ReplaceablePools:
    """Connection pools for the current TLS context; may be used by many threads.

    Args:
        make: makes the pools for a TLS context.
    """

    def __init__(self, make: Callable[[ssl.SSLContext], urllib3.PoolManager]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._current: _Pools | None = None

    @contextmanager
    def lend(self, tls: ssl.SSLContext) -> Iterator[urllib3.PoolManager]:
        """Lend the pools for one exchange; make new ones if the TLS context is another one than at the last time.

        The connections of replaced pools are closed: idle ones at once, the others when their exchange ends.
        """
        pools = self._take(tls)
        try:
            yield pools.manager
        finally:
            with self._lock:
                pools.users -= 1
                self._close_if_unused(pools)

    def close(self) -> None:
        """Close the idle connections; one in use is closed when its exchange ends."""
        with self._lock:
            pools, self._current = self._current, None
            if pools:
                self._close_if_unused(pools)

    def _take(self, tls: ssl.SSLContext) -> "_Pools":
        with self._lock:
            if self._current is None or self._current.tls is not tls:
                replaced, self._current = self._current, _Pools(tls, self._make(tls))
                if replaced:
                    self._close_if_unused(replaced)
            self._current.users += 1
            return self._current

    def _close_if_unused(self, pools: "_Pools") -> None:
        if pools is not self._current and not pools.users:
            close_pools(pools.manager)


class _Pools:
    def __init__(self, tls: ssl.SSLContext, manager: urllib3.PoolManager) -> None:
        self.tls = tls
        self.manager = manager
        self.users = 0


def close_pools(manager: urllib3.PoolManager) -> None:
    """Close the idle connections of all pools; one in use is closed when its exchange ends."""
    # `clear` alone forgets the pools, and one that an error's response refers to would keep its connections open.
    for key in manager.pools.keys():  # noqa: SIM118 - urllib3's container can't be iterated
        if (pool := manager.pools.get(key)) is not None:
            pool.close()
    manager.clear()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Short waits of fetch requests while messages of a busy topic are still buffered.

aiokafka sends one fetch request per broker at a time, and leaves partitions with buffered records out of it. If all
other topics are idle, the broker holds that request for `fetch.max.wait.ms`. Meanwhile the worker consumes the buffered
records and then idles, because aiokafka can't fetch the busy topic before that request ends. This patch asks for a
short wait while any partition has buffered records; the requests of an idle worker have the full wait.

Measured on Apache Kafka with handlers that do nothing: with 500 ms throughout, a worker consumed a backlog 0.7 to 0.9
times as fast as with 20 ms, and with this patch as fast. An idle worker took 0.4 times the processor time with 500 ms,
at the same latency. No upstream issue was found.

Private names in use: `_fetch_max_wait_ms` goes into each request, and `_records` holds the buffered records.
"""

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher

#: The longest wait while a partition is left out; a stream's buffer lasts longer, even if its handler does nothing.
BUSY_WAIT_MS = 20


def shorten_fetch_wait_while_busy() -> None:
    """Let each consumer of this process that is started from now on shorten the waits of its fetch requests."""
    consumer.Fetcher = _BusyAwareFetcher


class _BusyAwareFetcher(Fetcher):  # type: ignore[misc]  # aiokafka has no types
    @property
    def _fetch_max_wait_ms(self) -> int:
        return min(self._idle_wait_ms, BUSY_WAIT_MS) if self._records else self._idle_wait_ms

    @_fetch_max_wait_ms.setter
    def _fetch_max_wait_ms(self, value: int) -> None:
        self._idle_wait_ms = value

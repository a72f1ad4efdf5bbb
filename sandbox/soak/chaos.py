# SPDX-License-Identifier: GPL-3.0-or-later
"""Random failures during the soak test: the faults of the matrix, crashes of workers, and outages of the broker."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from sandbox.apache_kafka.broker import ApacheKafka
from sandbox.broker import RunningBroker
from sandbox.fault_matrix.rows import ROWS, Row
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.worker import Worker

__all__ = ["FAULTS", "Chaos"]

#: The faults after which every message still has its effects: not those that are answers about messages.
FAULTS = tuple(row for row in ROWS if row.expected.halts == "never" and not row.expected.final)


_Failure = tuple[str, Callable[[], None]]  # its name, and the function that causes it and waits for its end


class Chaos:
    """A source of random failures, one after the other; `injected` counts them by name.

    Args:
        rng: the source of all random choices: kind, time and duration of each failure.
        parts: the servers that get the faults.
        environment: the environment of the workers.
        workers: the workers to kill, stop and start again; all of them run at the end.

    Attributes:
        broker_in_use: held while messages are sent, and while the broker is unavailable: a producer without idempotence
            would send messages twice that the broker stored without an acknowledgement.
    """

    def __init__(
        self, rng: random.Random, parts: Surroundings, environment: dict[str, str], workers: list[Worker]
    ) -> None:
        self.injected: Counter[str] = Counter()
        self.problems: list[str] = []
        self.broker_in_use = threading.Lock()
        self._rng = rng
        self._parts = parts
        self._environment = environment
        self._workers = workers
        self._faults: list[_Failure] = [(row.name, partial(self._inject_fault, row)) for row in FAULTS]
        self._crashes: list[_Failure] = [
            ("kill -9", self._kill),
            ("SIGTERM", self._terminate),
            ("a third worker that joins and leaves", self._join_and_leave),
            *self._broker_failures(),
        ]

    def inject_one(self) -> None:
        """Cause one random failure, in two of three cases a fault; wait until it is over, and then up to 4 seconds."""
        name, inject = self._rng.choice(self._faults if self._rng.random() < 2 / 3 else self._crashes)
        inject()
        self.injected[name] += 1
        time.sleep(self._rng.uniform(0, 4))

    def _kill(self) -> None:
        worker = self._rng.choice(self._workers)
        worker.kill()
        self._restart(worker)

    def _terminate(self) -> None:
        worker = self._rng.choice(self._workers)
        if status := worker.stop():
            self.problems.append(f"a worker ended with status {status} after SIGTERM")
        self._restart(worker)

    def _join_and_leave(self) -> None:
        with self._parts.sandbox.worker(self._environment):
            time.sleep(self._rng.uniform(1, 5))

    def _broker_failures(self) -> Iterator[_Failure]:
        broker = self._parts.sandbox.broker
        if not isinstance(broker, RunningBroker):
            yield "an unreachable broker", partial(self._fail_broker, broker.close_proxy, broker.open_proxy)
        if isinstance(broker, ApacheKafka):  # the embedded broker loses its data
            yield "a restart of the broker", partial(self._fail_broker, broker.kill, broker.start)

    def _fail_broker(self, fail: Callable[[], None], repair: Callable[[], None]) -> None:
        with self.broker_in_use:
            fail()
            time.sleep(self._rng.uniform(0.5, 6))
            repair()

    def _inject_fault(self, row: Row) -> None:
        killed = self._rng.choice(self._workers) if self._rng.random() < 1 / 3 else None
        with row.breaks(self._parts):
            time.sleep(self._rng.uniform(1, 8))
            if killed:
                killed.kill()
        if killed:  # only now, as a worker cannot start while a dependency is unavailable
            self._restart(killed)

    def _restart(self, worker: Worker) -> None:
        time.sleep(self._rng.uniform(0, 2))
        worker.start()
        worker.wait_until_healthy()

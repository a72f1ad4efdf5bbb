# SPDX-License-Identifier: GPL-3.0-or-later
"""Random failures during the soak test: workers crash, stop and join, and the cluster's API fails in several ways."""

import random
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from sandbox.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Chaos"]

FAULTS: dict[str, tuple[Fault, ...]] = {
    "errors of the API": (
        Fault(effect="status", status=500, probability=0.3),
        Fault(effect="status", status=503, probability=0.1),
    ),
    "throttling": (Fault(effect="status", status=429, retry_after=1.0, probability=0.3),),
    "an unavailable API": (Fault(effect="status", status=503),),
    "cut connections": (Fault(effect="reset", probability=0.3),),
    "lost replies": (Fault(effect="lost", probability=0.3, method="POST"),),
    "a slow API": (Fault(effect="latency", seconds=0.5),),
    "an API that hangs": (Fault(effect="hang", probability=0.2, method="POST", path="*/workflows"),),
}


class Chaos:
    """A source of random failures, one after the other; `injected` counts them by kind.

    Args:
        rng: the source of all random choices: kind, time and duration of each failure.
        sandbox: the sandbox whose cluster stand-in gets the faults.
        environment: the environment of the workers.
        workers: the workers to kill, stop and start again; all of them run at the end.
    """

    def __init__(
        self, rng: random.Random, sandbox: Sandbox, environment: dict[str, str], workers: list[Worker]
    ) -> None:
        self.injected: Counter[str] = Counter()
        self.problems: list[str] = []
        self._rng = rng
        self._sandbox = sandbox
        self._environment = environment
        self._workers = workers
        self._failures: list[tuple[str, Callable[[], None]]] = [
            ("kill -9", self._kill),
            ("SIGTERM", self._terminate),
            ("a third worker that joins and leaves", self._join_and_leave),
            *((name, partial(self._inject_faults, faults)) for name, faults in FAULTS.items()),
        ]

    def inject_one(self) -> None:
        """Cause one random failure, wait until it is over, and then for up to 4 seconds."""
        name, inject = self._rng.choice(self._failures)
        inject()
        self.injected[name] += 1
        time.sleep(self._rng.uniform(0, 4))

    def stop(self) -> None:
        """Remove all faults."""
        self._sandbox.cluster.faults.clear()

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
        with self._sandbox.worker(self._environment):
            time.sleep(self._rng.uniform(1, 5))

    def _inject_faults(self, faults: tuple[Fault, ...]) -> None:
        self._sandbox.cluster.faults.set(*faults)
        if self._rng.random() < 1 / 3:
            self._kill_during_fault()
        time.sleep(self._rng.uniform(1, 8))
        self._sandbox.cluster.faults.clear()

    def _kill_during_fault(self) -> None:
        worker = self._rng.choice(self._workers)
        worker.kill()
        self._sandbox.cluster.faults.clear()  # a worker cannot start while the cluster is unavailable
        self._restart(worker)

    def _restart(self, worker: Worker) -> None:
        time.sleep(self._rng.uniform(0, 2))
        worker.start()
        worker.wait_until_healthy()

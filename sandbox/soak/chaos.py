# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong meanwhile, by chance: workers die, leave and join, and the cluster's API fails in all of its ways."""

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
    "an API that is down": (Fault(effect="status", status=503),),
    "cut connections": (Fault(effect="reset", probability=0.3),),
    "lost replies": (Fault(effect="lost", probability=0.3, method="POST"),),
    "a slow API": (Fault(effect="latency", seconds=0.5),),
    "an API that hangs": (Fault(effect="hang", probability=0.2, method="POST", path="*/workflows"),),
}


class Chaos:
    """Makes trouble, one after the other; `done` counts it.

    Args:
        chance: decides what, when and for how long.
        sandbox: whose cluster has faults.
        environment: of the workers.
        workers: those that are killed and started again; all of them run in the end.
    """

    def __init__(
        self, chance: random.Random, sandbox: Sandbox, environment: dict[str, str], workers: list[Worker]
    ) -> None:
        self.done: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._chance = chance
        self._sandbox = sandbox
        self._environment = environment
        self._workers = workers
        self._kinds: list[tuple[str, Callable[[], None]]] = [
            ("kill -9", self._kill),
            ("SIGTERM", self._terminate),
            ("a third worker that joins and leaves", self._visit),
            *((name, partial(self._fail, faults)) for name, faults in FAULTS.items()),
        ]

    def make(self) -> None:
        """Make one kind of trouble, wait until it is over, and for a while after it."""
        name, act = self._chance.choice(self._kinds)
        act()
        self.done[name] += 1
        time.sleep(self._chance.uniform(0, 4))

    def end(self) -> None:
        """Take all faults away."""
        self._sandbox.cluster.faults.clear()

    def _kill(self) -> None:
        worker = self._chance.choice(self._workers)
        worker.kill()
        self._start(worker)

    def _terminate(self) -> None:
        worker = self._chance.choice(self._workers)
        if status := worker.stop():
            self.complaints.append(f"a worker ended with status {status} after SIGTERM")
        self._start(worker)

    def _visit(self) -> None:
        with self._sandbox.worker(self._environment):
            time.sleep(self._chance.uniform(1, 5))

    def _fail(self, faults: tuple[Fault, ...]) -> None:
        self._sandbox.cluster.faults.set(*faults)
        if self._chance.random() < 1 / 3:
            self._kill_while_it_fails()
        time.sleep(self._chance.uniform(1, 8))
        self._sandbox.cluster.faults.clear()

    def _kill_while_it_fails(self) -> None:
        worker = self._chance.choice(self._workers)
        worker.kill()
        self._sandbox.cluster.faults.clear()  # a worker does not start without the cluster
        self._start(worker)

    def _start(self, worker: Worker) -> None:
        time.sleep(self._chance.uniform(0, 2))
        worker.start()
        worker.wait_until_healthy()

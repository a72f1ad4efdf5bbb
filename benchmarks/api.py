# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster stand-in in its own process, so that it shares no interpreter with the code under measurement.

`python -m benchmarks.api PORT` runs that process; `RemoteApi` starts, controls and stops it.
"""

import gc
import json
import signal
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from sandbox.cluster import ClusterStandIn
from sandbox.http_server import CONTROL
from sandbox.processes import ChildProcess, eventually
from sandbox.tcp_ports import accepts

__all__ = ["RemoteApi"]


class RemoteApi:
    """A client of the cluster stand-in in another process; a context manager that starts and stops that process.

    Attributes:
        cluster: a stand-in with the same settings that is never started; it provides names, port and environment.
    """

    def __init__(self, folder: Path) -> None:
        self.cluster = ClusterStandIn()
        self._folder = folder
        self._process: ChildProcess | None = None

    def __enter__(self) -> Self:
        """Start the process and wait until its port accepts connections."""
        command = [sys.executable, "-m", "benchmarks.api", str(self.cluster.port)]
        self._process = ChildProcess(command, self._folder / "api.log", folder=Path(__file__).parent.parent)
        self._process.wait_until(lambda: accepts(self.cluster.port), 30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the process."""
        if self._process is not None:
            self._process.stop()

    @property
    def pid(self) -> int:
        """The id of the process; raises RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError("the stand-in has not been started")
        return self._process.pid

    def reset(self, latency: float = 0.0) -> None:
        """Delete all workflows and records, and delay each later request by `latency` seconds."""
        self._ask("POST", "reset", {})
        self._ask("PUT", "faults", [{"effect": "latency", "seconds": latency}] if latency else [])

    def seed(self, namespace: str, count: int, phase: str | None) -> None:
        """Add `count` workflows in a phase to a namespace; None stands for workflows that Argo has not seen."""
        self._ask("POST", "seed", {"namespace": namespace, "count": count, "phase": phase})

    def created(self) -> int:
        """Return how many workflows were created."""
        return int(self._ask("GET", "state")["created"])

    def wait_for(self, count: int, timeout: float = 60.0) -> None:
        """Wait until `count` workflows were created; raises TimeoutError after `timeout` seconds."""
        if not eventually(lambda: self.created() >= count, timeout):
            raise TimeoutError(f"{self.created()} of {count} workflows were created after {timeout:g} s")

    def workflows(self) -> list[dict[str, Any]]:
        """Return each workflow that was created, as JSON objects."""
        return list(self._ask("GET", "workflows"))

    def requests(self) -> list[dict[str, Any]]:
        """Return each request that the stand-in has answered, as JSON objects."""
        return list(self._ask("GET", "requests"))

    def _ask(self, method: str, resource: str, content: object = None) -> Any:  # noqa: ANN401 - any JSON value
        body = None if content is None else json.dumps(content).encode()
        url = f"{self.cluster.url}{CONTROL}/{resource}"
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=60) as reply:  # noqa: S310 - our own URL
            return json.load(reply)


if __name__ == "__main__":
    # A full garbage collection of many workflows would add a pause that a real API server does not have.
    gc.set_threshold(10_000, 20, 10_000)
    with ClusterStandIn(port=int(sys.argv[1])):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})

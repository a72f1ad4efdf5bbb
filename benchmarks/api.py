# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster stand-in in a process of its own, so that it shares no interpreter with what is measured.

Run as a script, `python -m benchmarks.api PORT`, it is that process; `RemoteApi` starts, controls and ends it.
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
from sandbox.ports import accepts
from sandbox.processes import ChildProcess, eventually

__all__ = ["RemoteApi"]


class RemoteApi:
    """The stand-in, seen from outside; a context manager.

    Attributes:
        cluster: a stand-in of the same settings that never runs here, for what only these are needed.
    """

    def __init__(self, folder: Path) -> None:
        self.cluster = ClusterStandIn()
        self._folder = folder
        self._process: ChildProcess | None = None

    def __enter__(self) -> Self:
        """Start it."""
        command = [sys.executable, "-m", "benchmarks.api", str(self.cluster.port)]
        self._process = ChildProcess(command, self._folder / "api.log", folder=Path(__file__).parent.parent)
        self._process.wait_until(lambda: accepts(self.cluster.port), 30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it."""
        if self._process is not None:
            self._process.stop()

    @property
    def pid(self) -> int:
        """The number of its process; raises RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError("the stand-in has not been started")
        return self._process.pid

    def reset(self, latency: float = 0.0) -> None:
        """Empty it, and let each request wait so many seconds from now on."""
        self._ask("POST", "reset", {})
        self._ask("PUT", "faults", [{"effect": "latency", "seconds": latency}] if latency else [])

    def seed(self, namespace: str, count: int, phase: str | None) -> None:
        """Add workflows in a phase to a namespace."""
        self._ask("POST", "seed", {"namespace": namespace, "count": count, "phase": phase})

    def created(self) -> int:
        """Tell how many workflows were created."""
        return int(self._ask("GET", "state")["created"])

    def wait_for(self, count: int, timeout: float = 60.0) -> None:
        """Wait until so many workflows were created."""
        if not eventually(lambda: self.created() >= count, timeout):
            raise TimeoutError(f"{self.created()} workflows instead of {count}")

    def workflows(self) -> list[dict[str, Any]]:
        """Give each workflow that was created."""
        return list(self._ask("GET", "workflows"))

    def requests(self) -> list[dict[str, Any]]:
        """Give each request that was made."""
        return list(self._ask("GET", "requests"))

    def _ask(self, method: str, what: str, content: object = None) -> Any:  # noqa: ANN401 - any JSON value
        body = None if content is None else json.dumps(content).encode()
        url = f"{self.cluster.url}{CONTROL}/{what}"
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=60) as reply:  # noqa: S310 - our own URL
            return json.load(reply)


if __name__ == "__main__":
    # A full collection of all that it holds would take time that no API server of a cluster takes.
    gc.set_threshold(10_000, 20, 10_000)
    with ClusterStandIn(port=int(sys.argv[1])):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})

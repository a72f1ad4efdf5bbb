# SPDX-License-Identifier: GPL-3.0-or-later
"""Real workers, `faust -A investigator worker`, as processes of their own."""

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from sandbox.ports import HOST, free_port
from sandbox.processes import ChildProcess

__all__ = ["Worker"]

_REPOSITORY = Path(__file__).parent.parent
# What a worker reads of its environment; none of it may come from ours by accident.
_ITS_OWN = ("ARGO_", "KAFKA_", "KNOWLEDGE_GRAPH_", "KUBE", "OPENSHIFT_", "THOTH_", "FAUST_", "DEBUG_LEVEL", "SENTRY_")


class Worker:
    """One worker process; a context manager that starts it, waits until it is healthy, and kills it at the end.

    Args:
        environment: the variables of the contract; the rest of the process's environment is ours.
        folder: an own folder for its data, temporary files and log; made if it is missing.
        port: the port of its web pages; 0 for a free one.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, port: int = 0) -> None:
        self.port = free_port(port)
        self.folder = folder
        self.log = folder / "log"
        self._environment = dict(environment)
        self._process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Where its web pages are, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def has_started(self) -> bool:
        """Whether it was started, however it fares now."""
        return self._process is not None

    @property
    def process(self) -> ChildProcess:
        """Its process; raises RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError("the worker has not been started")
        return self._process

    @property
    def is_healthy(self) -> bool:
        """Whether /_health answers with 200 now."""
        try:
            with urllib.request.urlopen(f"{self.url}/_health", timeout=2) as reply:  # noqa: S310 - our own URL
                return bool(reply.status == 200)  # noqa: PLR2004 - HTTP's own number
        except (urllib.error.URLError, OSError):
            return False

    def start(self) -> None:
        """Start the process, without waiting; again after its end, with the same folder and port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        app = ["-A", "investigator", "--datadir", str(self.folder / "data")]
        worker = ["worker", "-l", "info", "--web-port", str(self.port)]
        command = [sys.executable, "-m", "faust", *app, *worker]
        environment = {**_ours(), "TMPDIR": str(self.folder), **self._environment}
        self._process = ChildProcess(command, self.log, environment=environment, folder=_REPOSITORY)

    def wait_until_healthy(self, timeout: float = 60.0) -> None:
        """Wait until /_health answers; raises ProcessFailedError with the log's end if it does not in time."""
        self.process.wait_until(lambda: self.is_healthy, timeout)

    def stop(self, timeout: float = 30.0) -> int:
        """Send SIGTERM and give the exit status; a worker that has not ended after `timeout` seconds is killed."""
        return self.process.stop(timeout)

    def terminate(self) -> None:
        """Send SIGTERM and do not wait."""
        self.process.send(signal.SIGTERM)

    def kill(self) -> int:
        """End it as kill -9 does; gives the exit status."""
        return self.process.kill()

    def wait(self, timeout: float = 30.0) -> int:
        """Wait for its end and give the exit status; raises ProcessFailedError after `timeout` seconds."""
        return self.process.wait(timeout)

    def log_text(self) -> str:
        """Give what it has logged, all its starts together."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def __enter__(self) -> Self:
        """Start it and wait until it is healthy."""
        self.start()
        self.wait_until_healthy()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Kill it if it still runs: what a test wants to see of an orderly end it asks for."""
        if self.process.status is None:
            self.kill()


def _ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_ITS_OWN)}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Real workers, `faust -A investigator worker`, as child processes."""

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from sandbox.processes import ChildProcess
from sandbox.tcp_ports import HOST, free_port

__all__ = ["Worker"]

_REPOSITORY = Path(__file__).parent.parent
# The prefixes of the variables that configure a worker. A worker inherits none of them from this process.
_WORKER_PREFIXES = (
    "ARGO_",
    "KAFKA_",
    "KNOWLEDGE_GRAPH_",
    "KUBE",
    "OPENSHIFT_",
    "THOTH_",
    "FAUST_",
    "DEBUG_LEVEL",
    "SENTRY_",
)


class Worker:
    """One worker process; a context manager that starts it, waits until it is healthy, and kills it at the end.

    Args:
        environment: the variables that configure the worker; it inherits the others from this process.
        folder: the worker's own folder for data, temporary files and log; it is created if it is missing.
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
        """The URL of its web pages, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def has_started(self) -> bool:
        """Whether the worker was started, also if it has ended since."""
        return self._process is not None

    @property
    def process(self) -> ChildProcess:
        """The worker's process; raises RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError("the worker has not been started")
        return self._process

    @property
    def is_healthy(self) -> bool:
        """Whether /_health currently answers with 200."""
        try:
            with urllib.request.urlopen(f"{self.url}/_health", timeout=2) as reply:  # noqa: S310 - our own URL
                return bool(reply.status == 200)  # noqa: PLR2004 - the HTTP status OK
        except (urllib.error.URLError, OSError):
            return False

    def start(self) -> None:
        """Start the process without waiting; after its end, start it again with the same folder and port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        app = ["-A", "investigator", "--datadir", str(self.folder / "data")]
        worker = ["worker", "-l", "info", "--web-port", str(self.port)]
        command = [sys.executable, "-m", "faust", *app, *worker]
        environment = {**_inherited(), "TMPDIR": str(self.folder), **self._environment}
        self._process = ChildProcess(command, self.log, environment=environment, folder=_REPOSITORY)

    def wait_until_healthy(self, timeout: float = 60.0) -> None:
        """Wait until the worker is healthy.

        Raises:
            ProcessFailedError: the worker ended, or was not healthy after `timeout` seconds; with the end of the log.
        """
        self.process.wait_until(lambda: self.is_healthy, timeout)

    def stop(self, timeout: float = 30.0) -> int:
        """Send SIGTERM, kill the worker if it still runs after `timeout` seconds, and return the exit status."""
        return self.process.stop(timeout)

    def terminate(self) -> None:
        """Send SIGTERM without waiting for the end."""
        self.process.send(signal.SIGTERM)

    def kill(self) -> int:
        """Send SIGKILL, wait for the end and return the exit status."""
        return self.process.kill()

    def wait(self, timeout: float = 30.0) -> int:
        """Wait for the end and return the exit status; raises ProcessFailedError after `timeout` seconds."""
        return self.process.wait(timeout)

    def log_text(self) -> str:
        """Return the worker's log, over all its starts."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def __enter__(self) -> Self:
        """Start the worker and wait until it is healthy."""
        self.start()
        self.wait_until_healthy()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Kill the worker if it still runs; a test that needs an orderly end calls `stop` itself."""
        if self.process.status is None:
            self.kill()


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_WORKER_PREFIXES)}

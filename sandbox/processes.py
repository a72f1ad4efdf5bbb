# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes that are always ended: by their owner, at the exit of this process, or when it is killed."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from weakref import WeakSet

__all__ = ["ChildProcess", "ProcessFailedError", "eventually"]

# The kernel ends a child with a parent-death signal when the *thread* that started it ends; this one lasts as long as the process.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-starter")
_PARENT_DEATH_EXEC = Path(__file__).with_name("parent_death_exec.py")
_CHILDREN: "WeakSet[ChildProcess]" = WeakSet()


class ProcessFailedError(Exception):
    """A child process ended, or did not become ready in time; has the end of its log."""

    def __init__(self, what: str, log: Path) -> None:
        self.log = log
        tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
        super().__init__(f"{what}; the end of {log}:\n{tail}")


class ChildProcess:
    """One process, started at once, in a process group of its own so that Ctrl-C reaches only us.

    Args:
        command: the absolute path of the program and its arguments.
        log: a file to which standard output and error are appended.
        environment: all of the environment; by default this process's own.
        folder: the working directory.
        user: the number of the user to run as; None for our own.
        death_signal: what the process gets when ours ends without stopping it.
    """

    def __init__(  # noqa: PLR0913 - what a process has
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: int | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        wrapper = [
            sys.executable,
            "-I",
            "-S",
            _PARENT_DEATH_EXEC,
            death_signal.value,
            -1 if user is None else user,
            os.getpid(),
        ]
        words = [str(word) for word in [*wrapper, *command]]
        with log.open("ab") as output:
            self._process = _STARTER.submit(
                lambda: subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if environment is None else dict(environment),
                    cwd=folder,
                    start_new_session=True,
                )
            ).result()
        _CHILDREN.add(self)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status; negative for the signal that ended it; None while it runs."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing where the process has ended."""
        self._process.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Wait for the end and give the exit status; raises ProcessFailedError after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise ProcessFailedError(f"process {self.pid} still runs after {timeout:g} s", self.log) from error

    def stop(self, timeout: float = 10.0, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end and kill it if it has not after `timeout` seconds; gives the exit status."""
        self.send(number)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kill the process (as kill -9 does), wait for its end and give the exit status."""
        self._process.kill()
        return self._process.wait()

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until `ready` says so; raises ProcessFailedError if the process ends before or time runs out."""
        if not eventually(lambda: self.status is not None or ready(), timeout):
            raise ProcessFailedError(f"process {self.pid} was not ready after {timeout:g} s", self.log)
        if self.status is not None:
            raise ProcessFailedError(f"process {self.pid} ended with status {self.status}", self.log)


def eventually(check: Callable[[], object], timeout: float, interval: float = 0.02) -> bool:
    """Call `check` every `interval` seconds until it gives something true; False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


@atexit.register
def _kill_all() -> None:
    for child in list(_CHILDREN):
        if child.status is None:
            child.kill()

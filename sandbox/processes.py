# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes that always end: by their owner, or when this process exits or is killed."""

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

# The kernel sends the parent-death signal when the *thread* that started the child ends. This thread lasts as long as
# the process.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-starter")
_PARENT_DEATH_EXEC = Path(__file__).with_name("parent_death_exec.py")
_CHILDREN: "WeakSet[ChildProcess]" = WeakSet()


class ProcessFailedError(Exception):
    """A child process failed, ended early or was not ready in time; the text has the end of its log."""

    def __init__(self, reason: str, log: Path) -> None:
        self.log = log
        tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
        super().__init__(f"{reason}; the end of {log}:\n{tail}")


class ChildProcess:
    """One child process, started at once, in its own session so that Ctrl-C reaches only the parent.

    Args:
        command: the absolute path of the program and its arguments.
        log: a file to which standard output and error are appended.
        environment: the whole environment; None for that of the parent.
        folder: the working directory.
        user: the id of the user to run as; None for that of the parent.
        death_signal: the signal that the child gets when the parent ends without stopping it.
    """

    def __init__(  # noqa: PLR0913 - the properties of a process
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
        arguments = [str(argument) for argument in [*wrapper, *command]]
        with log.open("ab") as output:
            self._process = _STARTER.submit(
                lambda: subprocess.Popen(
                    arguments,
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

    def send(self, signal_number: signal.Signals) -> None:
        """Send a signal; does nothing after the end of the process."""
        self._process.send_signal(signal_number)

    def wait(self, timeout: float) -> int:
        """Wait for the end and return the exit status; raises ProcessFailedError after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise ProcessFailedError(f"process {self.pid} still runs after {timeout:g} s", self.log) from error

    def stop(self, timeout: float = 10.0, signal_number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, kill the process if it still runs after `timeout` seconds, and return the exit status."""
        self.send(signal_number)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Send SIGKILL, wait for the end and return the exit status."""
        self._process.kill()
        return self._process.wait()

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until `ready` returns True.

        Raises:
            ProcessFailedError: the process ended, or was not ready after `timeout` seconds.
        """
        if not eventually(lambda: self.status is not None or ready(), timeout):
            raise ProcessFailedError(f"process {self.pid} was not ready after {timeout:g} s", self.log)
        if self.status is not None:
            raise ProcessFailedError(f"process {self.pid} ended with status {self.status}", self.log)


def eventually(check: Callable[[], object], timeout: float, interval: float = 0.02) -> bool:
    """Call `check` every `interval` seconds until its result is true; return False after `timeout` seconds."""
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

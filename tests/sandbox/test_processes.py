# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of child processes: by SIGTERM, by SIGKILL, and when their parent has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.processes import ChildProcess, ProcessFailedError, eventually

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
IGNORES_SIGTERM = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]
# Starts a child and then kills itself, without any cleanup.
PARENT = """
import os, signal, sys
from pathlib import Path
from sandbox.processes import ChildProcess
print(ChildProcess([sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1])).pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_stop_sends_sigterm_and_returns_the_exit_status(tmp_path: Path) -> None:
    """The status is negative for a signal."""
    assert ChildProcess(SLEEP, tmp_path / "log").stop() == -signal.SIGTERM


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """SIGKILL follows after the timeout."""
    process = ChildProcess(IGNORES_SIGTERM, tmp_path / "log")
    process.wait_until(lambda: "ready" in process.log.read_text(), timeout=10)
    assert process.stop(timeout=0.2) == -signal.SIGKILL


def test_an_early_end_is_reported_with_the_log(tmp_path: Path) -> None:
    """Waiting for the readiness of a process fails as soon as the process ends."""
    process = ChildProcess([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path / "log")
    with pytest.raises(ProcessFailedError, match=r"ended with status 1(.|\n)*no such thing"):
        process.wait_until(lambda: False, timeout=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the end of the parent")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the parent leaves no orphan."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.communicate("end\n")
    assert eventually(lambda: not is_running(child), timeout=5)


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

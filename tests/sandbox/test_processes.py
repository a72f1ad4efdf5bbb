# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes end: when asked, when killed, and when their starter is gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.processes import ChildProcess, ProcessFailedError, eventually

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]
# Starts a child and then dies without any chance to clean up.
ORPHANER = """
import os, signal, sys
from pathlib import Path
from sandbox.processes import ChildProcess
print(ChildProcess([sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1])).pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_stopped_process_ends_by_sigterm(tmp_path: Path) -> None:
    """Guarantee: stop asks with SIGTERM and gives the exit status."""
    assert ChildProcess(SLEEP, tmp_path / "log").stop() == -signal.SIGTERM


def test_a_stubborn_process_is_killed(tmp_path: Path) -> None:
    """Guarantee: a process that ignores SIGTERM is killed after the time it is given."""
    process = ChildProcess(STUBBORN, tmp_path / "log")
    process.wait_until(lambda: "deaf" in process.log.read_text(), timeout=10)
    assert process.stop(timeout=0.2) == -signal.SIGKILL


def test_an_early_end_is_told_with_the_log(tmp_path: Path) -> None:
    """Guarantee: waiting for a process that ends instead of getting ready fails at once and shows what it said."""
    process = ChildProcess([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path / "log")
    with pytest.raises(ProcessFailedError, match=r"ended with status 1(.|\n)*no such thing"):
        process.wait_until(lambda: False, timeout=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_child_ends_with_its_killed_starter(tmp_path: Path) -> None:
    """Guarantee: kill -9 of the process that started it leaves no child behind."""
    command = [sys.executable, "-c", ORPHANER, str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        assert is_running(child)
        starter.communicate("die\n")
    assert eventually(lambda: not is_running(child), timeout=5)


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its new parent's notice does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

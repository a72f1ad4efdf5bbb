# SPDX-License-Identifier: GPL-3.0-or-later
"""`make run ONCE=1` as a user runs it, with real workers and servers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.message_contract import CONTRACT

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def command() -> Iterator["subprocess.Popen[str]"]:
    """Start the command with ONCE=1 in its own process group, as a terminal does."""
    environment = {**os.environ, "ONCE": "1", "WORKERS": ""}
    started = subprocess.Popen(
        [sys.executable, "-m", "sandbox"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with started:
        yield started
        started.kill()


def processes() -> dict[int, tuple[int, str]]:
    """Return the parent and the state of each process of this machine, by process id."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid): (int(parent), state) for pid, parent, state in rows}


def descendants(ancestor: int) -> set[int]:
    """Return the ids of all processes that descend from a process."""
    table, found = processes(), {ancestor}
    while more := {pid for pid, (parent, _) in table.items() if parent in found} - found:
        found |= more
    return found - {ancestor}


def running(chosen: set[int]) -> set[int]:
    """Return the processes that still run; a zombie has ended."""
    return {pid for pid, (_, state) in processes().items() if pid in chosen and not state.startswith("Z")}


def test_all_scenarios_succeed(command: "subprocess.Popen[str]") -> None:
    """All loops close, the table lists every message type of the contract, and the exit status is 0."""
    output, _ = command.communicate(timeout=200)
    lines = output.splitlines()
    assert command.returncode == 0, output
    closing = lines.index("Everything happened as expected.")
    assert [line.split(":")[:2] for line in lines[closing - 5 : closing - 1]] == [
        ["1 Knowledge increase", " closed"],
        ["2 Self-learning on errors", " closed"],
        ["3 Self-healing of advice", " closed"],
        ["4 Users and bots", " closed"],
    ]
    shown = {line.split()[0] for line in lines if line}
    assert {base_name.rsplit(".", 1)[-1] for base_name in CONTRACT} <= shown


@pytest.mark.parametrize("moment", ["Starting a Kafka broker", "Starting 3 workers", "Scenario 2"])
def test_an_interrupt_leaves_no_process_running(command: "subprocess.Popen[str]", moment: str) -> None:
    """After Ctrl-C at any moment, every started process has ended, and the output has no traceback."""
    assert command.stdout is not None
    assert any(moment in line for line in iter(command.stdout.readline, ""))
    children = descendants(command.pid)
    os.killpg(command.pid, signal.SIGINT)
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 130, output
    assert "Traceback" not in output
    assert not running(children)

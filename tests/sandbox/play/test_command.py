# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.play.command import Options
from sandbox.play.servers import create_run_folder


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, Options(once=False, workers=2)),
        ({"ONCE": "", "WORKERS": ""}, Options(once=False, workers=2)),
        ({"ONCE": "0"}, Options(once=False, workers=2)),
        ({"ONCE": "1", "WORKERS": "3"}, Options(once=True, workers=3)),
    ],
)
def test_options_come_from_the_environment(environment: dict[str, str], options: Options) -> None:
    """An empty variable counts as absent: make passes empty variables for options that the user does not give."""
    assert Options.from_environment(environment) == options


@pytest.mark.parametrize("workers", ["0", "9", "two", "-1", "1.5"])
def test_a_number_of_workers_out_of_range_is_refused(workers: str) -> None:
    """The error names the variable, the range and the value."""
    with pytest.raises(ValueError, match=rf"WORKERS must be a number from 1 to 8, not '{workers}'"):
        Options.from_environment({"WORKERS": workers})


def test_the_command_refuses_wrong_options_in_one_line() -> None:
    """It exits with status 1 before it starts any server."""
    command = [sys.executable, "-m", "sandbox"]
    completed = subprocess.run(
        command, env={**os.environ, "WORKERS": "many"}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr == "WORKERS must be a number from 1 to 8, not 'many'\n"


def test_a_new_run_removes_the_folders_of_ended_runs(tmp_path: Path) -> None:
    """The folder of a run that is still in progress stays, such as one in another terminal."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        (tmp_path / f"run-{pid}-abc").mkdir()
    new = create_run_folder(tmp_path)
    assert set(tmp_path.iterdir()) == {new, tmp_path / f"run-{os.getppid()}-abc"}

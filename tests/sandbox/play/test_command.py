# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.play.command import Options
from sandbox.play.servers import new_folder


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
    """Guarantee: make hands on empty variables for those that are not given, and they count as absent."""
    assert Options.of(environment) == options


@pytest.mark.parametrize("workers", ["0", "9", "two", "-1", "1.5"])
def test_a_senseless_number_of_workers_is_refused(workers: str) -> None:
    """Guarantee: the error names variable, limits and value."""
    with pytest.raises(ValueError, match=rf"WORKERS must be a number from 1 to 8, not '{workers}'"):
        Options.of({"WORKERS": workers})


def test_the_command_says_what_is_wrong_and_ends() -> None:
    """Guarantee: wrong options end the command with status 1 and one line, before anything is started."""
    command = [sys.executable, "-m", "sandbox"]
    done = subprocess.run(
        command, env={**os.environ, "WORKERS": "many"}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "WORKERS must be a number from 1 to 8, not 'many'\n"


def test_folders_of_runs_that_are_over_are_removed(tmp_path: Path) -> None:
    """Guarantee: logs last until the next run, those of a run that goes on beside this one too."""
    over = subprocess.Popen([sys.executable, "-c", ""])
    over.wait()
    for process in (over.pid, os.getppid()):
        (tmp_path / f"run-{process}-abc").mkdir()
    mine = new_folder(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, tmp_path / f"run-{os.getppid()}-abc"}

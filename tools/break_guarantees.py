# SPDX-License-Identifier: GPL-3.0-or-later
"""Break each guarantee in a copy of the checkout and expect its test to fail: `python -m tools.break_guarantees`.

With words, it tries only the faults whose texts contain one of them: `python -m tools.break_guarantees slot commit`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.guarantees import Fault, load_faults

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("agents", "docs", "investigator", "sandbox", "tests", "tools")
_TESTS_FAILED = 1  # pytest's exit status; 2 to 5 mean that no test ran to its end


def main(words: Sequence[str]) -> int:
    """Try the faults, and return 1 if a test does not fail."""
    chosen = [each for each in load_faults() if not words or any(word in each.fault for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        checkout = _copy(Path(folder))
        right = _run(checkout, {each.test for each in chosen})
        if right.returncode:
            print(right.stdout, "The tests have to pass before the code is broken", sep="\n")
            return 1
        unnoticed = [each for each in chosen if not _is_noticed(checkout, each)]
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} faults are noticed")
    return 1 if unnoticed else 0


def _copy(folder: Path) -> Path:
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _is_noticed(checkout: Path, fault: Fault) -> bool:
    """Return whether the test fails while the code is broken."""
    file = checkout / fault.file
    right = file.read_text("utf-8")
    file.write_text(broken(fault, right), "utf-8")
    done = _run(checkout, [fault.test])
    file.write_text(right, "utf-8")
    noticed = done.returncode == _TESTS_FAILED
    print("noticed:" if noticed else "NOT NOTICED:", fault.fault)
    print(*_failures(done.stdout), sep="\n", flush=True)
    return noticed


def broken(fault: Fault, text: str) -> str:
    """Return the text of the file with the fault.

    Raises:
        ValueError: the file does not have the right code exactly once.
    """
    if (count := text.count(fault.old)) != 1:
        raise ValueError(f"{fault.file} has the code {count} times, not once: {fault.old!r}")
    return text.replace(fault.old, fault.new)


def _failures(output: str) -> list[str]:
    """Return the lines of pytest's summary, which say why each test failed."""
    return [f"  {line}" for line in output.splitlines() if line.startswith("FAILED ")]


def _run(checkout: Path, tests: Iterable[str]) -> "subprocess.CompletedProcess[str]":
    # Without bytecode files, Python cannot mistake the old code for the new one. The columns are for the reasons.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=60", *tests]
    options: dict[str, Any] = {"cwd": checkout, "env": environment, "stdout": subprocess.PIPE, "text": True}
    return subprocess.run(command, **options, check=False)  # noqa: S603 - the command is made of constants


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Break each guarantee in a copy, and expect its test to fail.")
    parser.add_argument("words", nargs="*", help="try only the faults whose texts contain one of these words")
    sys.exit(main(parser.parse_args().words))

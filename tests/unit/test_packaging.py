# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed from a wheel is whole."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_wheel_holds_every_file_of_the_packages() -> None:
    """Templates and pinned sums are read from beside the modules: a wheel without them would fail at its first use."""
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["*"]
    folders = [ROOT / package for package in ("agents", "investigator", "sandbox")]
    beside = [path for folder in folders for path in folder.rglob("*.*") if path.suffix not in {".py", ".pyc"}]
    assert beside
    assert [path for path in beside if not any(map(path.match, patterns))] == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel contains every file that the packages need."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_wheel_contains_every_file_of_the_packages() -> None:
    """Modules read templates and checksums from their own folders at run time."""
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["*"]
    folders = [ROOT / package for package in ("agents", "investigator", "sandbox")]
    data_files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix not in {".py", ".pyc"}]
    assert data_files
    assert [path for path in data_files if not any(map(path.match, patterns))] == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel contains every file that the packages need, and its requirements allow the versions that are tested."""

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def _project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))


def _pins() -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    text = (ROOT / "requirements.txt").read_text("utf-8")
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE):
        pins.setdefault(canonicalize_name(name), []).append(version)
    return pins


def test_a_wheel_contains_every_file_of_the_packages() -> None:
    """Modules read templates and checksums from their own folders at run time."""
    patterns = _project()["tool"]["setuptools"]["package-data"]["*"]
    folders = [ROOT / package for package in ("agents", "investigator", "sandbox")]
    data_files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix not in {".py", ".pyc"}]
    assert data_files
    assert [path for path in data_files if not any(map(path.match, patterns))] == []


def test_each_pinned_version_is_within_the_bounds_of_the_wheel() -> None:
    """Otherwise an installed wheel would get other versions than those that are tested."""
    pins = _pins()
    for requirement in map(Requirement, _project()["project"]["dependencies"]):
        versions = pins[canonicalize_name(requirement.name)]
        assert all(map(requirement.specifier.contains, versions)), requirement


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("aiokafka", "0.12.0"),  # lists of request classes
        ("prometheus-client", "0.21.1"),  # Gauge.remove raises KeyError for a series that does not exist
        ("packaging", "22.0"),  # thoth-python imports LegacyVersion
        ("sqlalchemy", "1.4.0"),  # thoth-storages uses the API of 1.3
    ],
)
def test_a_version_that_breaks_the_worker_is_outside_of_the_bounds(name: str, broken: str) -> None:
    """An installation refuses it, instead of a worker that does not start or fails later."""
    bounds = {each.name: each.specifier for each in map(Requirement, _project()["project"]["dependencies"])}
    assert not bounds[name].contains(broken)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of libraries with private names in use: only tested ones start."""

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import investigator
from investigator.errors import StartupError
from investigator.kafka import internals

PACKAGE = Path(investigator.__file__).parent


def test_installed_versions_are_tested_ones() -> None:
    """A worker starts with the libraries that requirements.txt pins."""
    internals.refuse_untested_versions()


@pytest.mark.parametrize("installed", ["0.12.0", "0.15.0", "0.15.0rc1", "1.0"])
def test_a_start_on_an_untested_version_is_refused(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the installed and the tested versions, and what to do."""
    versions = {"aiokafka": installed, "faust-streaming": "0.15.3", "mode-streaming": "0.7.1"}
    monkeypatch.setattr(internals, "version", versions.__getitem__)
    with pytest.raises(StartupError) as refusal:
        internals.refuse_untested_versions()
    text = str(refusal.value)
    assert f"aiokafka {installed} is installed, but only versions >=0.13,<0.15 are tested" in text
    assert "pip install -r requirements.txt" in text
    assert "faust" not in text


def test_the_refusal_ends_the_process_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the application is imported, which may fail on such a version."""
    monkeypatch.setattr(internals, "version", lambda _: "99.0")
    with pytest.raises(SystemExit, match=r"mode-streaming 99\.0 is installed"):
        investigator.__getattr__("app")


def test_the_bounds_of_the_package_are_the_tested_versions() -> None:
    """What pip installs, a worker starts with."""
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    for name, tested in internals.TESTED_VERSIONS.items():
        (bounds,) = [each.removeprefix(name) for each in project["dependencies"] if each.startswith(f"{name}>")]
        assert SpecifierSet(bounds) == SpecifierSet(tested)

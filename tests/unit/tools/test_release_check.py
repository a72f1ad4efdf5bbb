# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest

from investigator.settings.reference import reference
from tools.release_check import ENVIRONMENT, ReleaseError, main, version_of, version_problems

NEWS = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n"
RELEASED = "\n## [1.1.0] - 2026-02-28\n\n### Added\n\n- Everything.\n"


def test_the_version_is_read_without_importing_the_module() -> None:
    """So the check also works where an import would fail."""
    assert version_of('"""A module."""\nimport absent\n\n__version__ = "1.2.3"\n') == "1.2.3"


def test_a_module_without_a_version_is_refused() -> None:
    """The error says where the version belongs."""
    with pytest.raises(ReleaseError, match=r"investigator/__init__\.py"):
        version_of('"""A module."""\n')


@pytest.mark.parametrize(
    ("version", "log"),
    [
        ("1.1.0", "# Changelog\n" + RELEASED),  # the commit of a release
        ("1.1.0", "# Changelog\n\n## [Unreleased]\n" + RELEASED),
        ("1.2.0", NEWS + RELEASED),  # on the way to the next one
        ("1.2.0rc1", NEWS + RELEASED),
        ("1.2.0", "# Changelog\n\n## [Unreleased]\n" + RELEASED),
        ("0.1.0", NEWS),  # before the first one
    ],
)
def test_a_version_that_fits_the_changelog_passes(version: str, log: str) -> None:
    """It is the newest release without changes since, or a later version that is not released yet."""
    assert version_problems(version, log) == []


@pytest.mark.parametrize(
    ("version", "log", "expected"),
    [
        ("1.2.x", NEWS, "PEP 440"),
        ("1.0.0", NEWS + RELEASED, "1.1.0, which is newer than __version__ 1.0.0"),
        ("1.1.0rc1", "# Changelog\n" + RELEASED, "1.1.0, which is newer"),
        ("1.1.0", NEWS + RELEASED, "1.1.0 is released, and CHANGELOG.md has unreleased changes"),
        ("1.2.0", "# Changelog\n" + RELEASED, "says nothing about 1.2.0"),
    ],
)
def test_a_version_that_does_not_fit_the_changelog_is_refused(version: str, log: str, expected: str) -> None:
    """One problem, with what to do about it."""
    assert [expected in problem for problem in version_problems(version, log)] == [True]


def test_the_program_gets_a_value_for_every_required_variable() -> None:
    """A setting that becomes required belongs into the check, which would fail without it."""
    assert set(ENVIRONMENT) == {setting.variable for setting in reference() if setting.required}


def test_all_problems_of_version_and_changelog_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No wheel is built before these are right, so the answer comes at once."""
    (tmp_path / "investigator").mkdir()
    (tmp_path / "investigator" / "__init__.py").write_text('__version__ = "1.0.0"\n', "utf-8")
    (tmp_path / "CHANGELOG.md").write_text(NEWS.replace("# Changelog", "# History") + RELEASED, "utf-8")
    assert main(tmp_path) == 1
    assert [line.split(" ")[0] for line in capsys.readouterr().out.splitlines()] == ["Begin", "CHANGELOG.md"]

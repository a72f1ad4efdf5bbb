# SPDX-License-Identifier: GPL-3.0-or-later
from datetime import date

import pytest

from tools.changelog import Section, problems, sections

RIGHT = """\
# Changelog

## [Unreleased]

## [1.1.0] - 2026-02-28

### Added

- One thing,
  in two lines.
- Another.

### Fixed

- A third.

## 1.0.0 - 2026-01-31

### Added

- Everything.
"""


def test_the_sections_of_a_changelog_are_read_with_their_days_and_entries() -> None:
    """Brackets around a version are optional, as they are without a link."""
    assert sections(RIGHT) == [
        Section("Unreleased", None),
        Section("1.1.0", date(2026, 2, 28), {"Added": 2, "Fixed": 1}),
        Section("1.0.0", date(2026, 1, 31), {"Added": 1}),
    ]
    assert problems(RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("# Changelog", "# History", "Begin the file with"),
        ("## [1.1.0] - 2026-02-28", "## [1.1.0]", "1.1.0 has no day of release: write '## [1.1.0] - 2026-01-31'"),
        ("2026-02-28", "2026-02-30", "1.1.0 has no day of release"),
        ("2026-02-28", "soon", "1.1.0 has no day of release"),
        ("[1.1.0]", "[next]", "'next' is no version by PEP 440"),
        ("[1.1.0] - 2026-02-28", "1.1.0 (unreleased)", "'1.1.0 (unreleased)' is no version by PEP 440"),
        ("### Fixed", "### Repaired", "1.1.0 has entries under 'Repaired': put them under one of '### Added'"),
        ("- A third.", "A third.", "1.1.0 has nothing under 'Fixed'"),
        ("[1.1.0]", "[1.0.0]", "There are several sections of 1.0.0"),
        ("[1.1.0]", "[0.9]", "the newest comes first"),
        ("- Everything.", "- Everything.\n\n## [Unreleased]", "Move '## [Unreleased]' to the top"),
        ("### Added\n\n- Everything.\n", "", "1.0.0 is empty"),
    ],
)
def test_each_problem_is_named_with_what_to_do(old: str, new: str, expected: str) -> None:
    """One problem in a changelog that is right otherwise."""
    found = problems(RIGHT.replace(old, new))
    assert found
    assert any(expected in problem for problem in found)


def test_a_changelog_without_sections_is_refused() -> None:
    """An empty file says nothing about any version."""
    assert problems("# Changelog\n") == ["Add a section: '## [Unreleased]'."]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of CHANGELOG.md: Keep a Changelog (https://keepachangelog.com/en/1.1.0/), read strictly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from packaging.version import InvalidVersion, Version

UNRELEASED = "Unreleased"
GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

_GROUPS = ", ".join(f"'### {group}'" for group in GROUPS)
_HEADING = re.compile(r"\[?(?P<name>[^\]\s]+)\]?(?P<date> - (?P<day>\S+))?")


@dataclass
class Section:
    """A version's part of the changelog.

    Args:
        name: the version, or `Unreleased`.
        day: the day of the release; None where the heading has none that can be read.
        groups: the number of entries by the group's heading.
    """

    name: str
    day: date | None
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def is_released(self) -> bool:
        """Whether the section is that of a version."""
        return self.name != UNRELEASED

    @property
    def version(self) -> Version | None:
        """The version; None where the section has none, or none that PEP 440 allows."""
        try:
            return Version(self.name)
        except InvalidVersion:
            return None


def sections(text: str) -> list[Section]:
    """Return the sections of a changelog, in the order in which they stand there."""
    found: list[Section] = []
    group = ""
    for line in text.splitlines():
        if line.startswith("## "):
            found.append(_section(line[3:].strip()))
            group = ""
        elif line.startswith("### ") and found:
            group = line[4:].strip()
            found[-1].groups.setdefault(group, 0)
        elif line.startswith("- ") and found:
            found[-1].groups[group] = found[-1].groups.get(group, 0) + 1
    return found


def _section(heading: str) -> Section:
    match = _HEADING.fullmatch(heading)
    if match is None:
        return Section(heading, None)
    return Section(match["name"], _day(match["day"]))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def problems(text: str) -> list[str]:
    """Return what is wrong with the form of a changelog, each with what to do about it."""
    found = sections(text)
    return [
        *([] if text.startswith("# Changelog\n") else ["Begin the file with the line '# Changelog'."]),
        *([] if found else [f"Add a section: '## [{UNRELEASED}]'."]),
        *(problem for section in found for problem in _problems_of(section)),
        *_problems_of_order(found),
    ]


def _problems_of(section: Section) -> Iterator[str]:
    if section.is_released and section.version is None:
        yield f"'{section.name}' is no version by PEP 440: write '## [1.2.3] - 2026-01-31' or '## [{UNRELEASED}]'."
    elif section.is_released and section.day is None:
        yield f"{section.name} has no day of release: write '## [{section.name}] - 2026-01-31'."
    if section.is_released and not section.groups:
        yield f"{section.name} is empty: say what changed for operators and authors, or remove the section."
    for group, entries in section.groups.items():
        if group not in GROUPS:
            yield f"{section.name} has entries under '{group}': put them under one of {_GROUPS}."
        elif not entries:
            yield f"{section.name} has nothing under '{group}': add an entry that begins with '- ', or remove it."


def _problems_of_order(found: list[Section]) -> Iterator[str]:
    names = [section.name for section in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"There are several sections of {name}: merge them; a version is released once."
    if UNRELEASED in names[1:]:
        yield f"Move '## [{UNRELEASED}]' to the top."
    versions = [section.version for section in found if section.version is not None]
    if versions != sorted(versions, reverse=True):
        yield "Sort the versions: the newest comes first."

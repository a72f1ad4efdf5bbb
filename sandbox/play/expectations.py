# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to have happened at the end of a scenario, to the piece; and what of it has not, or was too much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sandbox.graph_seed import PackageFlags
from sandbox.play.messages import PackageVersion

__all__ = ["Expected", "Flag", "FlagReader", "differences", "shortfalls"]


class FlagReader(Protocol):
    """What flags are looked up in, in the words of `GraphSeed`."""

    def flags(self, name: str, version: str, index_url: str) -> set[PackageFlags]:
        """Give the flags of a version, as they are in each of its environments."""

    def hashes(self, name: str, version: str, index_url: str) -> dict[str, bool]:
        """Give the hashes of a version, and whether each is still on the index."""


@dataclass(frozen=True)
class Flag:
    """A flag that investigator has to set in the graph, and the type of the message that asks for it."""

    base_name: str
    where: PackageVersion
    kind: Literal["missing", "without source distribution", "hash gone"]
    sha256: str = ""  # the hash that is gone

    def __str__(self) -> str:
        """Give it as people write it."""
        return f"{self.where} {self.kind}"

    def is_set(self, rows: FlagReader) -> bool:
        """Tell whether the flag is set, in every environment in which the version was solved."""
        place = (self.where.name, self.where.version, self.where.index_url)
        if self.kind == "hash gone":
            return rows.hashes(*place).get(self.sha256) is False
        flags = rows.flags(*place)
        missing = self.kind == "missing"
        return bool(flags) and all(each.is_missing if missing else not each.provides_source_distro for each in flags)


@dataclass(frozen=True)
class Expected:
    """The messages of a scenario by base name, the workflows for them by base name and kind, and the flags.

    Attributes:
        messages: how many of each type, whoever sends them.
        workflows: how many of each kind are scheduled for messages of each type.
        flags: what investigator itself changes in the graph.
    """

    messages: Mapping[str, int]
    workflows: Mapping[tuple[str, str], int]
    flags: tuple[Flag, ...] = ()

    def lacking(self, messages: Mapping[str, int], workflows: Mapping[tuple[str, str], int]) -> list[str]:
        """Give a text for each count that is not what was expected."""
        by_pair = {f"{kind} workflows for {name}": count for (name, kind), count in self.workflows.items()}
        seen = {f"{kind} workflows for {name}": count for (name, kind), count in workflows.items()}
        named = {f"{name} messages": count for name, count in self.messages.items()}
        return [
            *differences(named, {f"{name} messages": count for name, count in messages.items()}),
            *differences(by_pair, seen),
        ]

    def unset(self, rows: FlagReader) -> list[Flag]:
        """Give the flags that are not set."""
        return [flag for flag in self.flags if not flag.is_set(rows)]


def differences(expected: Mapping[str, int], seen: Mapping[str, int]) -> list[str]:
    """Give a text for each thing of which there are more or less than expected."""
    return [
        f"{what}: {seen.get(what, 0)}, expected {expected.get(what, 0)}"
        for what in _in_order(expected, seen)
        if seen.get(what, 0) != expected.get(what, 0)
    ]


def shortfalls(expected: Mapping[str, int], seen: Mapping[str, int]) -> list[str]:
    """Give a text for each thing of which there are less than expected: for what may happen again after a rebalance."""
    return differences(expected, {what: min(count, expected.get(what, 0)) for what, count in seen.items()})


def _in_order(*names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for each in names for name in each))

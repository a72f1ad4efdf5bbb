# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact result that a scenario must have, and the differences from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sandbox.graph_seed import PackageFlags
from sandbox.play.messages import PackageVersion

__all__ = ["Expected", "Flag", "FlagReader", "differences", "shortfalls"]


class FlagReader(Protocol):
    """The methods of `GraphSeed` that read flags."""

    def flags(self, name: str, version: str, index_url: str) -> set[PackageFlags]:
        """Return the flags of a package version, one set of flags for each environment in which it was solved."""

    def hashes(self, name: str, version: str, index_url: str) -> dict[str, bool]:
        """Return the hashes of a package version, each with whether the index still has it."""


@dataclass(frozen=True)
class Flag:
    """A flag that investigator must set in the graph.

    Attributes:
        base_name: the base name of the message that asks for it.
        package: the package version that is flagged.
        kind: the meaning of the flag.
        sha256: The hash that the index no longer has, for the kind "hash gone".
    """

    base_name: str
    package: PackageVersion
    kind: Literal["missing", "without source distribution", "hash gone"]
    sha256: str = ""

    def __str__(self) -> str:
        """Return a text such as "click 8.1.3 missing"."""
        return f"{self.package} {self.kind}"

    def is_set(self, graph: FlagReader) -> bool:
        """Return whether the flag is set in every environment in which the version was solved."""
        key = (self.package.name, self.package.version, self.package.index_url)
        if self.kind == "hash gone":
            return graph.hashes(*key).get(self.sha256) is False
        flags = graph.flags(*key)
        missing = self.kind == "missing"
        return bool(flags) and all(each.is_missing if missing else not each.provides_source_distro for each in flags)


@dataclass(frozen=True)
class Expected:
    """The exact result of a scenario.

    Attributes:
        messages: the number of messages by base name, from all senders.
        workflows: the number of workflows by the message's base name and the workflow's kind.
        flags: the flags that investigator itself sets in the graph.
    """

    messages: Mapping[str, int]
    workflows: Mapping[tuple[str, str], int]
    flags: tuple[Flag, ...] = ()

    def unmet_counts(self, messages: Mapping[str, int], workflows: Mapping[tuple[str, str], int]) -> list[str]:
        """Return one line for each count that differs; the arguments are the counts so far."""
        by_pair = {f"{kind} workflows for {name}": count for (name, kind), count in self.workflows.items()}
        seen = {f"{kind} workflows for {name}": count for (name, kind), count in workflows.items()}
        named = {f"{name} messages": count for name, count in self.messages.items()}
        return [
            *differences(named, {f"{name} messages": count for name, count in messages.items()}),
            *differences(by_pair, seen),
        ]

    def unset_flags(self, graph: FlagReader) -> list[Flag]:
        """Return the flags that are not set."""
        return [flag for flag in self.flags if not flag.is_set(graph)]


def differences(expected: Mapping[str, int], seen: Mapping[str, int]) -> list[str]:
    """Return one line for each name whose number is not the expected one; an absent name counts as 0."""
    return [
        f"{name}: {seen.get(name, 0)}, expected {expected.get(name, 0)}"
        for name in _names_in_order(expected, seen)
        if seen.get(name, 0) != expected.get(name, 0)
    ]


def shortfalls(expected: Mapping[str, int], seen: Mapping[str, int]) -> list[str]:
    """Return one line for each name whose number is below the expected one.

    This is the comparison for numbers that a redelivery after a rebalance may increase.
    """
    return differences(expected, {name: min(count, expected.get(name, 0)) for name, count in seen.items()})


def _names_in_order(*groups: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for group in groups for name in group))

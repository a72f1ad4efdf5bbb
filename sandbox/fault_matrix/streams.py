# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams of messages: each has its own message type or package index, and names the parts that it needs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.cluster import SOLVERS
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.graph_seed import PYPI
from sandbox.package_index import PackageIndexServer

__all__ = ["STREAMS", "Stream", "message_of", "number_in"]

_NUMBER = re.compile(r"\bm(\d{7})\b")
Fields = Mapping[str, object]


@dataclass(frozen=True)
class Stream:
    """A stream of messages that are alike.

    Attributes:
        name: its name in reports.
        base_name: the type of its messages.
        needs: the parts of dependencies that every message needs; a fault names the part that it breaks.
        fields: makes the fields of a message from its token, such as m0000012, which its effects repeat.
        effects: how many workflows or flags each message leads to.
    """

    name: str
    base_name: str
    needs: frozenset[str]
    fields: Callable[[Surroundings, str], Fields]
    effects: int = 1

    def __str__(self) -> str:
        """Return the name."""
        return self.name


def message_of(stream: Stream, parts: Surroundings, number: int) -> dict[str, object]:
    """Return the message of a stream with that number."""
    common = {"component_name": "fault-matrix", "service_version": "1"}
    return {**common, **stream.fields(parts, f"m{number:07}")}


def number_in(text: str) -> int | None:
    """Return the number of the message whose token is a part of the text; None without one."""
    found = _NUMBER.search(text)
    return int(found[1]) if found else None


def _repository(field: str) -> Callable[[Surroundings, str], Fields]:
    return lambda _, token: {field: f"https://github.com/thoth-station/{token}"}


def _release(parts: Surroundings, token: str) -> Fields:
    return {"package_name": token, "package_version": "1.0", "index_url": parts.sandbox.index.index_url()}


def _distro(_: Surroundings, token: str) -> Fields:
    # The versions that `seed_versions` stores; no other stream is about this index.
    return {"package_name": token, "package_version": "1.0", "index_url": PYPI, "value": False}


def _unresolved(server: Callable[[Surroundings], PackageIndexServer]) -> Callable[[Surroundings, str], Fields]:
    def fields(parts: Surroundings, token: str) -> Fields:
        index = server(parts)
        index.add(token, "1.0")  # without a version in the message, the worker asks the index
        return {"package_name": token, "index_url": index.index_url()}

    return fields


def _in(namespace: str, *needs: str) -> frozenset[str]:
    return frozenset({"cluster", namespace, f"count {namespace}", *needs})


_SOLVE = _in("middletier", "solvers", "create solver")
STREAMS = (
    Stream("repo-init", "thoth.repo-init", _in("backend", "create thoth-repo-init"), _repository("project_url")),
    Stream("run-url", "thoth.kebechet-run-url-trigger", _in("backend", "create kebechet-run-url"), _repository("url")),
    Stream(
        "inspection",
        "thoth.inspection-completed",
        _in("middletier", "create graph-sync"),
        lambda _, token: {"inspection_id": token},
    ),
    Stream("released", "thoth.package-release.package-released", _SOLVE, _release, len(SOLVERS) + 1),
    Stream(
        "unanalyzed",
        "thoth.investigator.si-unanalyzed-package",
        _in("middletier", "graph", "create security-indicator"),
        _release,
    ),
    Stream(
        "unresolved",
        "thoth.investigator.unresolved-package",
        _SOLVE | {"graph", "index"},
        _unresolved(lambda parts: parts.sandbox.index),
        len(SOLVERS),
    ),
    # The type of the stream before, but of the other index.
    Stream(
        "unresolved-mirror",
        "thoth.investigator.unresolved-package",
        _SOLVE | {"graph", "mirror"},
        _unresolved(lambda parts: parts.mirror),
        len(SOLVERS),
    ),
    Stream("distro", "thoth.update-provides-source-distro", frozenset({"graph", "graph write"}), _distro),
)

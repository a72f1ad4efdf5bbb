# SPDX-License-Identifier: GPL-3.0-or-later
"""What the story is about: package versions, indexes, environments and projects. Names and versions are real.

Only the artifacts are not: a hash here is that of a file's name, as the embedded index carries no files.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

__all__ = [
    "FEDORA",
    "PROJECTS",
    "PYPI",
    "PYTORCH",
    "RHEL",
    "Project",
    "Release",
    "affected_projects",
    "artifacts_at_first",
    "artifacts_now",
    "dependents_of",
    "has_sources",
    "is_listed",
    "listings",
]

PYPI = "pypi.org/simple"
PYTORCH = "download.pytorch.org/whl/cpu"

RHEL = "solver-rhel-8-py38"
FEDORA = "solver-fedora-34-py39"


@dataclass(frozen=True, order=True)
class Release:
    """A version of a package on one of the indexes above."""

    name: str
    version: str
    index: str = PYPI

    def __str__(self) -> str:
        """Give it as people write it."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Project:
    """A repository that Kebechet looks after: the solver for its environment, and packages that it uses."""

    url: str
    solver: str
    packages: frozenset[str]

    @property
    def slug(self) -> str:
        """The repository's owner and name."""
        return "/".join(self.url.rsplit("/", 2)[-2:])


PROJECTS = (
    Project("https://github.com/thoth-station/thamos", RHEL, frozenset({"click", "requests"})),
    Project("https://github.com/thoth-station/metrics-exporter", RHEL, frozenset({"flask"})),
    Project("https://github.com/AICoE/elyra-aidevsecops-tutorial", RHEL, frozenset({"numpy", "tensorflow"})),
)

#: What the indexes list. What is missing here has vanished: atomicwrites 1.4.0 in July 2022, ctx as a whole in May.
_LISTED = frozenset(
    {
        Release("atomicwrites", "1.4.1"),
        Release("click", "8.0.4"),
        Release("click", "8.1.3"),
        Release("flask", "2.0.3"),
        Release("flask", "2.1.3"),
        Release("jinja2", "3.0.3"),
        Release("jinja2", "3.1.2"),
        Release("numpy", "1.22.4"),
        Release("requests", "2.27.1"),
        Release("tensorflow", "2.9.1"),
        Release("torch", "1.10.2+cpu", PYTORCH),
        Release("torch", "1.11.0+cpu", PYTORCH),
        Release("werkzeug", "2.0.3"),
        Release("werkzeug", "2.1.2"),
    }
)
_WHEELS_ONLY = frozenset({"tensorflow", "torch"})
_DEPENDENTS = {"click": {"flask"}, "jinja2": {"flask"}, "numpy": {"tensorflow", "torch"}, "werkzeug": {"flask"}}


def _artifact(file: str) -> str:
    return sha256(file.encode()).hexdigest()


_NUMPY = ("numpy", "1.22.4")
_KEPT = _artifact("numpy-1.22.4.zip")
_REPLACED = _artifact("numpy-1.22.4-cp38-cp38-manylinux2014_x86_64.whl")
_NEW = _artifact("numpy-1.22.4-cp38-cp38-manylinux_2_17_x86_64.whl")


def listings() -> Mapping[str, Mapping[str, list[str]]]:
    """Give the versions that each index lists, by index and package."""
    content: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for release in sorted(_LISTED):
        content[release.index][release.name].append(release.version)
    return content


def is_listed(name: str, version: str) -> bool:
    """Tell whether the index still has the version."""
    return any((release.name, release.version) == (name, version) for release in _LISTED)


def has_sources(name: str) -> bool:
    """Tell whether the package is published with a source distribution."""
    return name not in _WHEELS_ONLY


def dependents_of(name: str) -> frozenset[str]:
    """Give the packages above that depend on the package."""
    return frozenset(_DEPENDENTS.get(name, ()))


def artifacts_at_first(name: str, version: str) -> list[str]:
    """Give the hashes of the version's files as they were when it was solved first."""
    return [_KEPT, _REPLACED] if (name, version) == _NUMPY else artifacts_now(name, version)


def artifacts_now(name: str, version: str) -> list[str]:
    """Give the hashes of the version's files as they are on the index now."""
    return [_KEPT, _NEW] if (name, version) == _NUMPY else [_artifact(f"{name}-{version}")]


def affected_projects(package: str, solver: str | None) -> list[Project]:
    """Give the projects that use the package, in the environment of a solver if one is named."""
    return [project for project in PROJECTS if package in project.packages and solver in (None, project.solver)]

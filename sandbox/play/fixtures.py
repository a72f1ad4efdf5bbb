# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the scenarios: indexes, package versions, solvers and projects. Names and versions are real.

The hashes are not real, because the embedded index has no files: each is the hash of a file's name.
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
    "current_hashes",
    "dependents_of",
    "has_sources",
    "is_listed",
    "listings",
    "original_hashes",
]

#: Package indexes, by host and path.
PYPI = "pypi.org/simple"
PYTORCH = "download.pytorch.org/whl/cpu"

#: Solvers, by environment.
RHEL = "solver-rhel-8-py38"
FEDORA = "solver-fedora-34-py39"


@dataclass(frozen=True, order=True)
class Release:
    """A version of a package on one of the indexes of this module."""

    name: str
    version: str
    index: str = PYPI

    def __str__(self) -> str:
        """Return a text such as "click 8.1.3"."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Project:
    """A repository that Kebechet manages, with the solver for its environment and the packages that it uses."""

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

#: The releases on the indexes. Not among them are releases that were removed in 2022: the package ctx in May, and
#: atomicwrites 1.4.0 in July.
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


# After this version was first solved, the index replaced one of its two files.
_NUMPY = ("numpy", "1.22.4")
_UNCHANGED = _artifact("numpy-1.22.4.zip")
_REPLACED = _artifact("numpy-1.22.4-cp38-cp38-manylinux2014_x86_64.whl")
_NEW = _artifact("numpy-1.22.4-cp38-cp38-manylinux_2_17_x86_64.whl")


def listings() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the versions on the indexes, by index and package."""
    content: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for release in sorted(_LISTED):
        content[release.index][release.name].append(release.version)
    return content


def is_listed(name: str, version: str) -> bool:
    """Return whether an index still has the version."""
    return any((release.name, release.version) == (name, version) for release in _LISTED)


def has_sources(name: str) -> bool:
    """Return whether the package is published with a source distribution."""
    return name not in _WHEELS_ONLY


def dependents_of(name: str) -> frozenset[str]:
    """Return the packages of this module that depend on the package."""
    return frozenset(_DEPENDENTS.get(name, ()))


def original_hashes(name: str, version: str) -> list[str]:
    """Return the hashes of the version's files at the time when it was first solved."""
    return [_UNCHANGED, _REPLACED] if (name, version) == _NUMPY else current_hashes(name, version)


def current_hashes(name: str, version: str) -> list[str]:
    """Return the hashes of the version's files that are on the index now."""
    return [_UNCHANGED, _NEW] if (name, version) == _NUMPY else [_artifact(f"{name}-{version}")]


def affected_projects(package: str, solver: str | None) -> list[Project]:
    """Return the projects that use the package; if a solver is named, only those in its environment."""
    return [project for project in PROJECTS if package in project.packages and solver in (None, project.solver)]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The message types that change the graph: the rows before the message, and the changes by mode."""

from collections.abc import Callable
from hashlib import sha256

from sandbox.cluster import SOLVERS
from sandbox.graph_seed import PYPI, GraphSeed, PackageFlags
from tests.e2e import effects
from tests.e2e.case import ByMode, Change, Effects, Fields

OTHER_INDEX = "https://download.pytorch.org/whl/cpu"
_VERSIONS = [("1.0", PYPI), ("2.0", PYPI), ("2.0", OTHER_INDEX)]


def _digest(fields: Fields, which: str) -> str:
    return sha256(f"{fields['package_version']} {which}".encode()).hexdigest()


def mismatch(release: Callable[[], Fields]) -> Fields:
    """Return the fields of a message about two hashes that the index lost, and one that the graph does not have yet."""
    fields = release()
    lost = [_digest(fields, "lost"), _digest(fields, "lost too")]
    return {**fields, "missing_from_source": lost, "missing_from_database": [_digest(fields, "new")]}


def seed_hashes(fields: Fields, seed: GraphSeed) -> None:
    """Store the two hashes that the index lost, and one that it still has."""
    for digest in [*fields["missing_from_source"], _digest(fields, "present")]:
        seed.artifact(fields["package_name"], fields["package_version"], PYPI, digest)


def of_mismatch(fields: Fields) -> ByMode:
    """Expect solvers and marked hashes in middletier mode, Kebechet's administrator in backend mode."""
    lost, present = fields["missing_from_source"], _digest(fields, "present")
    change = Change(
        lambda seed: seed.hashes(fields["package_name"], fields["package_version"]),
        before=dict.fromkeys([*lost, present], True),
        after={**dict.fromkeys(lost, False), present: True},
    )
    administrator = effects.administrator("thoth.package-update.hash-mismatch", fields)
    return {"middletier": Effects(effects.solvers(fields), change), "backend": Effects((administrator,))}


def seed_solved(fields: Fields, seed: GraphSeed) -> None:
    """Store that every solver has solved the package version of the message."""
    for solver in SOLVERS:
        seed.solved(fields["package_name"], fields["package_version"], fields["index_url"], solver)


def _flags(fields: Fields, after: PackageFlags) -> Change:
    name, version = fields["package_name"], fields["package_version"]
    before = PackageFlags(is_missing=False, provides_source_distro=True)
    return Change(lambda seed: seed.flags(name, version), {before}, {after})


def of_missing_version(fields: Fields) -> ByMode:
    """Expect that the version is flagged as missing in all environments, and Kebechet's administrator."""
    administrator = effects.administrator("thoth.package-update.missing-package-version", fields)
    change = _flags(fields, PackageFlags(is_missing=True, provides_source_distro=True))
    return {"backend": Effects((administrator,), change)}


def of_source_distro(fields: Fields) -> ByMode:
    """Expect that the flag is set in all environments of the version."""
    after = PackageFlags(is_missing=False, provides_source_distro=fields["value"])
    return {"middletier": Effects(change=_flags(fields, after))}


def seed_versions(fields: Fields, seed: GraphSeed) -> None:
    """Store two versions of the package on the index of the message, and one version on another index."""
    for version, index_url in _VERSIONS:
        seed.solved(fields["package_name"], version, index_url, SOLVERS[0])


def of_missing_package(fields: Fields) -> ByMode:
    """Expect that only the versions on that index are flagged as missing, and Kebechet's administrator."""

    def missing(seed: GraphSeed) -> list[bool]:
        return [flags.is_missing for release in _VERSIONS for flags in seed.flags(fields["package_name"], *release)]

    administrator = effects.administrator("thoth.package-update.missing-package", fields)
    change = Change(missing, before=[False, False, False], after=[True, True, False])
    return {"backend": Effects((administrator,), change)}

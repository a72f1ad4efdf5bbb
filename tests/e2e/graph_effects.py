# SPDX-License-Identifier: GPL-3.0-or-later
"""The message types that change the graph: what it holds before, and in which mode what of it changes."""

from collections.abc import Callable
from hashlib import sha256

from sandbox.cluster import SOLVERS
from sandbox.graph_seed import PYPI, GraphSeed, PackageFlags
from tests.e2e import effects
from tests.e2e.case import ByMode, Change, Effects, Fields

OTHER_INDEX = "https://download.pytorch.org/whl/cpu"
_PLACES = [("1.0", PYPI), ("2.0", PYPI), ("2.0", OTHER_INDEX)]


def _digest(fields: Fields, which: str) -> str:
    return sha256(f"{fields['package_version']} {which}".encode()).hexdigest()


def mismatch(release: Callable[[], Fields]) -> Fields:
    """Two hashes that the index no longer has, and one that the graph does not have yet."""
    fields = release()
    gone = [_digest(fields, "gone"), _digest(fields, "gone too")]
    return {**fields, "missing_from_source": gone, "missing_from_database": [_digest(fields, "new")]}


def seed_hashes(fields: Fields, seed: GraphSeed) -> None:
    """Let the graph have the hashes that are gone, and one that stays."""
    for digest in [*fields["missing_from_source"], _digest(fields, "kept")]:
        seed.artifact(fields["package_name"], fields["package_version"], PYPI, digest)


def of_mismatch(fields: Fields) -> ByMode:
    """Solvers and marked hashes in middletier mode, Kebechet in backend mode."""
    gone, kept = fields["missing_from_source"], _digest(fields, "kept")
    change = Change(
        lambda seed: seed.hashes(fields["package_name"], fields["package_version"]),
        before=dict.fromkeys([*gone, kept], True),
        after={**dict.fromkeys(gone, False), kept: True},
    )
    administrator = effects.administrator("thoth.package-update.hash-mismatch", fields)
    return {"middletier": Effects(effects.solvers(fields), change), "backend": Effects((administrator,))}


def seed_solved(fields: Fields, seed: GraphSeed) -> None:
    """Let every solver have solved the version that the message is about."""
    for solver in SOLVERS:
        seed.solved(fields["package_name"], fields["package_version"], fields["index_url"], solver)


def _flags(fields: Fields, after: PackageFlags) -> Change:
    name, version = fields["package_name"], fields["package_version"]
    before = PackageFlags(is_missing=False, provides_source_distro=True)
    return Change(lambda seed: seed.flags(name, version), {before}, {after})


def of_missing_version(fields: Fields) -> ByMode:
    """The version is flagged as missing in all of its environments, and Kebechet is told."""
    administrator = effects.administrator("thoth.package-update.missing-package-version", fields)
    change = _flags(fields, PackageFlags(is_missing=True, provides_source_distro=True))
    return {"backend": Effects((administrator,), change)}


def of_source_distro(fields: Fields) -> ByMode:
    """The flag is set in all environments of the version."""
    after = PackageFlags(is_missing=False, provides_source_distro=fields["value"])
    return {"middletier": Effects(change=_flags(fields, after))}


def seed_versions(fields: Fields, seed: GraphSeed) -> None:
    """Let the graph know two versions on the index of the message, and one of the same name on another index."""
    for version, index_url in _PLACES:
        seed.solved(fields["package_name"], version, index_url, SOLVERS[0])


def of_missing_package(fields: Fields) -> ByMode:
    """All versions on that index are flagged as missing, others are not, and Kebechet is told."""

    def missing(seed: GraphSeed) -> list[bool]:
        return [flags.is_missing for place in _PLACES for flags in seed.flags(fields["package_name"], *place)]

    administrator = effects.administrator("thoth.package-update.missing-package", fields)
    change = Change(missing, before=[False, False, False], after=[True, True, False])
    return {"backend": Effects((administrator,), change)}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The selection of versions by a specifier (PEP 440), as pip selects them."""

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from investigator.package_index.listing import Listing


def parse_specifier(text: str) -> SpecifierSet:
    """Parse a specifier, such as ``>=2.25,<3``.

    Raises:
        ValueError: a part of it is invalid by PEP 440, or there is none.
    """
    parts = [Specifier(part) for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError("a specifier needs an operator and a version")
    for part in parts:
        if part.operator == "===":
            Version(part.version)
    return SpecifierSet(",".join(map(str, parts)))


def pinned_version(text: str) -> str | None:
    """Return the only version that the text allows, a plain version or ``==`` or ``===`` with one; None for others.

    Raises:
        ValueError: the text is no version and no specifier.
    """
    text = text.strip()
    if text[:1].isalnum():
        Version(text)
        return text
    parts = list(parse_specifier(text))
    if len(parts) == 1 and parts[0].operator in {"==", "==="} and not parts[0].version.endswith(".*"):
        return str(parts[0].version)
    return None


def select(listing: Listing, specifier: str) -> list[Version]:
    """Return the versions that match, latest first; without a specifier all.

    pip never selects a yanked release for a range, and a pre-release only if the specifier names one or no other
    release matches. `SpecifierSet.filter` of packaging 21 decides the latter for each part of the specifier alone.
    """
    if not specifier:
        return listing.versions
    allowed = parse_specifier(specifier)
    matching = [version for version in listing.versions if allowed.contains(version, prereleases=True)]
    candidates = [version for version in matching if version not in listing.yanked]
    finals = [version for version in candidates if not version.is_prerelease]
    return candidates if allowed.prereleases else finals or candidates

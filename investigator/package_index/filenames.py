# SPDX-License-Identifier: GPL-3.0-or-later
"""The version that the name of a distribution file states."""

from packaging.utils import canonicalize_name

# The archives that pip installs, from `pip._internal.utils.filetypes`.
_ARCHIVES = (
    *(".zip", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar"),
    *(".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"),
)
_WHEEL_PARTS = (5, 6)  # name, version, an optional build number, and three tags


def is_distribution(file: str) -> bool:
    """Return whether the file is a wheel or a source distribution by its suffix."""
    return file.endswith((".whl", *_ARCHIVES))


def version_in(file: str, project: str) -> str | None:
    """Return the version of a project's distribution as the file spells it.

    Args:
        file: the name of the file.
        project: the normalized name of the project.

    Returns:
        The version, valid or not; None if the file is no distribution of the project.
    """
    if file.endswith(".whl"):
        return _version_in_wheel(file.removesuffix(".whl"), project)
    suffix = next((suffix for suffix in _ARCHIVES if file.endswith(suffix)), None)
    return None if suffix is None else _version_in_archive(file.removesuffix(suffix), project)


def _version_in_wheel(stem: str, project: str) -> str | None:
    parts = stem.split("-")
    if len(parts) not in _WHEEL_PARTS or canonicalize_name(parts[0]) != project:
        return None
    return parts[1].replace("_", "-")  # as pip reads it: a wheel escapes the dash


def _version_in_archive(stem: str, project: str) -> str | None:
    # Both the name and an old version may have dashes: the first dash after the name separates them.
    for position, character in enumerate(stem):
        if character == "-" and canonicalize_name(stem[:position]) == project:
            return stem[position + 1 :]
    return None

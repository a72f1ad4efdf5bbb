# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of the fields that name a package. A text that is invalid there is refused, and the error names the field.

An accepted text stays as the message spells it.
"""

import re
from collections.abc import Callable
from typing import Annotated

from packaging.version import Version
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from investigator.graph.index_urls import check_index_url, registered_spelling
from investigator.package_index.specifiers import pinned_version

__all__ = [
    "IndexUrl",
    "PackageName",
    "PackageVersion",
    "VersionSpecifier",
    "pinned_version",
    "registered_spelling",
    "selects_every_version",
]

# Longer texts name nothing that exists, and the libraries that check them take long.
_MAX_NAME = 500
_MAX_URL = 2000

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def selects_every_version(specifier: str | None) -> bool:
    """Return whether a field of type VersionSpecifier is null or empty, or the text ``*``."""
    return (specifier or "").strip() in {"", "*"}


def _check_name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ValueError("should be the name of a package by PEP 508")


def _check_version(text: str) -> None:
    try:
        Version(text)
    except ValueError:
        raise ValueError("should be a version by PEP 440") from None
    if text != text.strip():
        raise ValueError("should be a version without spaces")


def _check_specifier(text: str) -> None:
    try:
        if not selects_every_version(text):
            pinned_version(text)
    except ValueError:
        raise ValueError("should be a version, a specifier by PEP 440, or *") from None


def _checked_by(check: Callable[[str], None]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            check(text)
        except ValueError as error:
            raise PydanticCustomError("package_field", str(error)) from None
        return text

    return AfterValidator(validate)


#: The URL of one package index: http or https, without credentials.
IndexUrl = Annotated[str, Field(min_length=1, max_length=_MAX_URL), _checked_by(check_index_url)]

#: The name of a package (PEP 508), without extras.
PackageName = Annotated[str, Field(min_length=1, max_length=_MAX_NAME), _checked_by(_check_name)]

#: A version (PEP 440).
PackageVersion = Annotated[str, Field(min_length=1, max_length=_MAX_NAME), _checked_by(_check_version)]

#: A version, a specifier such as ``>=2.25,<3`` (PEP 440), or an empty text or ``*`` for every version.
VersionSpecifier = Annotated[str, Field(max_length=_MAX_NAME), _checked_by(_check_specifier)]

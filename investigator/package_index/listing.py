# SPDX-License-Identifier: GPL-3.0-or-later
"""The listing of a project: the parsing of an index's answer, JSON (PEP 691, 700) or HTML (PEP 503, 592, 629)."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from investigator.delivery.errors import TemporaryError
from investigator.package_index.filenames import version_in
from investigator.package_index.page import ProjectPage

_LOGGER = logging.getLogger(__name__)

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html")

#: The Accept header that pip sends.
ACCEPT = f"{_JSON}, {_HTML[0]}; q=0.1, {_HTML[1]}; q=0.01"


@dataclass(frozen=True)
class Answer:
    """The answer of an index about a project.

    Attributes:
        url: the URL that answered, for errors.
        media_type: the Content-Type header without parameters, in lower case.
        charset: the charset of the Content-Type header; None without one.
        body: the decompressed body.
    """

    url: str
    media_type: str
    charset: str | None
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; UTF-8 unless the header names another charset that exists."""
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Listing:
    """The versions of a project on an index.

    Attributes:
        versions: all versions, latest first.
        yanked: those of them of which every file is yanked (PEP 592).
    """

    versions: list[Version]
    yanked: frozenset[Version]


@dataclass(frozen=True)
class _File:
    name: str
    yanked: bool


def parse_listing(answer: Answer, project: str) -> Listing:
    """Parse the answer of an index about a project, given by its normalized name.

    The listing is empty only if the answer is a project without distributions.

    Raises:
        TemporaryError: the answer is no listing, for example the page of a login or a gateway.
    """
    if answer.media_type == _JSON:
        return _from_json(answer, project)
    if answer.media_type in _HTML:
        return _from_html(answer, project)
    expected = "a listing of the project in JSON or HTML"
    raise TemporaryError(f"GET {answer.url}: answered {answer.media_type or 'no Content-Type'} instead of {expected}")


def _from_json(answer: Answer, project: str) -> Listing:
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(answer, f"invalid JSON, {error}") from None
    if not isinstance(content, dict):
        raise _unreadable(answer, "JSON that is not an object")
    meta = content.get("meta")
    _check_api_version(answer, meta.get("api-version", "1.0") if isinstance(meta, dict) else "1.0")
    files, versions = content.get("files"), content.get("versions", [])
    if not isinstance(files, list) or not isinstance(versions, list):
        raise _unreadable(answer, "JSON without a list of files")
    return _listing(project, _files(files), [version for version in versions if isinstance(version, str)])


def _files(entries: Iterable[Any]) -> Iterator[_File]:
    for entry in entries:
        name = entry.get("filename") if isinstance(entry, dict) else None
        if isinstance(name, str):
            yield _File(name, bool(entry.get("yanked")))


def _from_html(answer: Answer, project: str) -> Listing:
    page = ProjectPage(answer.text)
    _check_api_version(answer, page.api_version or "1.0")
    if not page.is_about(project):
        raise _unreadable(answer, "an HTML page that is no listing of the project")
    return _listing(project, (_File(link.file, link.yanked) for link in page.links), [])


def _check_api_version(answer: Answer, version: object) -> None:
    if str(version).partition(".")[0] != "1":
        raise _unreadable(answer, f"version {version!r} of the API, of which the worker knows version 1")


def _listing(project: str, files: Iterable[_File], listed: Iterable[str]) -> Listing:
    """Return the versions of the files, and those that the index lists without files (PEP 700)."""
    spelled = [(version_in(file.name, project), file.yanked) for file in files]
    found = [(text, yanked) for text, yanked in spelled if text is not None]
    parsed = {text: _version(text) for text in [*listed, *(text for text, _ in found)]}
    invalid = [text for text, version in parsed.items() if version is None]
    if invalid:
        facts = (project, len(invalid), invalid[0][:100])
        _LOGGER.info("Left out versions that are invalid by PEP 440 package=%s count=%d first=%r", *facts)
    available = {parsed[text] for text, yanked in found if not yanked}
    yanked = {version for text, yanked in found if yanked and (version := parsed[text])} - available
    return Listing(sorted({version for version in parsed.values() if version}, reverse=True), frozenset(yanked))


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except (InvalidVersion, ValueError):  # ValueError: a number has more digits than Python converts
        return None


def _unreadable(answer: Answer, problem: str) -> TemporaryError:
    return TemporaryError(f"GET {answer.url}: answered {problem}")

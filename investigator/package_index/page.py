# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page of a project on an index (PEP 503)."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from investigator.package_index.filenames import is_distribution

# An index needs no input; the page of a login does, and so does that of a portal.
_INPUT = {"button", "form", "frame", "iframe", "input"}
_HIDDEN = {"script", "style"}


@dataclass(frozen=True)
class FileLink:
    """A link to a wheel or a source distribution.

    Attributes:
        file: the decoded last part of the path. A ``<base>`` element does not change it.
        yanked: whether the link has the attribute ``data-yanked`` (PEP 592).
    """

    file: str
    yanked: bool


class ProjectPage(HTMLParser):
    """The parsed page.

    Attributes:
        links: the links to distributions, in the order of the page.
        api_version: the version that the page states (PEP 629); None without one.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[FileLink] = []
        self.api_version: str | None = None
        self._tags: set[str] = set()
        self._open_tag = ""
        self._texts: list[str] = []
        self.feed(text)
        self.close()

    def is_about(self, project: str) -> bool:
        """Return whether the page is a listing of the project, given by its normalized name.

        A page with links to distributions is one. Without them, a login or maintenance page with status 200 must not
        count as a project without versions: the page must state the version of the API, or name the project in its
        text, or have no text at all. It may not ask for input.
        """
        if self.links:
            return True
        if not self._tags or self._tags & _INPUT:
            return False
        text = " ".join(self._texts).strip()
        words = text.replace("/", " ").split()
        return self.api_version is not None or not text or any(canonicalize_name(word) == project for word in words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a link or the version of the API."""
        attributes = dict(attrs)
        self._tags.add(tag)
        self._open_tag = tag
        if tag == "a" and attributes.get("href"):
            self._add_link(str(attributes["href"]), yanked="data-yanked" in attributes)
        if tag == "meta" and attributes.get("name") == "pypi:repository-version":
            self.api_version = attributes.get("content")

    def handle_endtag(self, _tag: str) -> None:
        """Leave the element."""
        self._open_tag = ""

    def handle_data(self, data: str) -> None:
        """Collect the text that a reader of the page sees."""
        if self._open_tag not in _HIDDEN:
            self._texts.append(data)

    def _add_link(self, target: str, *, yanked: bool) -> None:
        try:
            path = urlsplit(target.strip()).path
        except ValueError:  # an invalid host
            return
        file = unquote(path.rsplit("/", 1)[-1])
        if is_distribution(file):
            self.links.append(FileLink(file, yanked))

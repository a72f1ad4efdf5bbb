# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of package indexes like PyPI's, in JSON (PEP 691, 700) or HTML (PEP 503), without the files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Any

from aiohttp import web
from packaging.utils import canonicalize_name

from sandbox.http_server import HttpServer
from sandbox.statuses import not_found

__all__ = ["HTML", "JSON", "MAIN", "CannedAnswer", "PackageIndexServer"]

#: The media types of listings that the server can send, the preferred one first.
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
_PLAIN_HTML = "text/html"

MAIN = "pypi.org/simple"
_VERSIONS = {
    "click": ["7.1.2", "8.0.4", "8.1.3"],
    "flask": ["1.1.4", "2.0.3", "2.1.3"],
    "jinja2": ["2.11.3", "3.0.3", "3.1.2"],
    "markupsafe": ["1.1.1", "2.0.1", "2.1.1"],
    "numpy": ["1.21.6", "1.22.4"],
    "requests": ["2.26.0", "2.27.1"],
    "thoth-common": ["0.36.5", "0.36.6"],
    "werkzeug": ["1.0.1", "2.0.3", "2.1.2"],
}


@dataclass(frozen=True)
class CannedAnswer:
    """An answer that the server sends instead of a listing, such as the page of a login."""

    body: bytes = b""
    content_type: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class PackageIndexServer(HttpServer):
    """Several package indexes, each at its own path; with the faults and the log of every embedded server.

    Like PyPI it redirects to the normalized name and to the slash at the end, and compresses listings.

    Args:
        content: the versions of each package, by the path of the index and the normalized name of the package.
        port: the port to listen on; 0 for a free one.

    Attributes:
        media_types: the media types of listings that the server sends; older indexes send HTML only.
        canned: the answers to send for some packages, by index and normalized name, like ``pypi.org/simple/flask``.
        yanked: the files that are yanked.
    """

    def __init__(self, content: Mapping[str, Mapping[str, Sequence[str]]] | None = None, port: int = 0) -> None:
        super().__init__(port)
        self._initial = {MAIN: _VERSIONS} if content is None else content
        self._listed: dict[str, dict[str, list[str]]] = {}
        self.media_types: tuple[str, ...] = (JSON, HTML, _PLAIN_HTML)
        self.canned: dict[str, CannedAnswer] = {}
        self.yanked: set[str] = set()
        self._restore()

    def index_url(self, index: str = MAIN) -> str:
        """Return the URL of an index, as in messages and in the graph."""
        return f"{self.url}/{index}"

    def add(self, name: str, *versions: str, index: str = MAIN) -> None:
        """Add versions of a package; without versions, add a package that has none."""
        listed = self._listed.setdefault(index, {}).setdefault(name, [])
        listed.extend(version for version in versions if version not in listed)

    def remove(self, name: str, *versions: str, index: str = MAIN) -> None:
        """Remove versions of a package; without versions, remove the package."""
        if not versions:
            del self._listed[index][name]
        for version in versions:
            self._listed[index][name].remove(version)

    def reset(self) -> None:
        """Restore the initial content, and clear the faults and the log of requests."""
        self._restore()
        self.faults.clear()
        self.request_log.clear()

    def state(self) -> dict[str, Any]:
        """Return the listed versions and the number of requests."""
        return {"indexes": self._listed, "requests": len(self.request_log.calls)}

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the one route; its handler looks up the index and the package."""
        yield web.get("/{path:.+}", self._show)

    def _restore(self) -> None:
        self.media_types = (JSON, HTML, _PLAIN_HTML)
        self.canned = {}
        self.yanked = set()
        self._listed = {
            index: {name: list(versions) for name, versions in packages.items()}
            for index, packages in self._initial.items()
        }

    async def _show(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].rstrip("/")
        index, _, name = path.rpartition("/")
        project = canonicalize_name(name)
        if path not in self._listed and index in self._listed and request.path != f"/{index}/{project}/":
            raise web.HTTPMovedPermanently(f"/{index}/{project}/")
        if path in self.canned:
            canned = self.canned[path]
            headers = {**canned.headers, "Content-Type": canned.content_type}
            return web.Response(body=canned.body, status=canned.status, headers=headers)
        response = self._listing(request, path, index, project)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _listing(self, request: web.Request, path: str, index: str, project: str) -> web.Response:
        media_type = _negotiated(request.headers.get("Accept", "*/*"), self.media_types)
        if path in self._listed:
            names = sorted(self._listed[path])
            content: dict[str, Any] = {"projects": [{"name": name} for name in names]}
            return _answer(media_type, content, "Simple index", [f'<a href="{name}/">{name}</a>' for name in names])
        versions = self._listed.get(index, {}).get(project)
        if versions is None:
            raise not_found("packages", path)
        files = [self._file(file) for version in versions for file in _files(project, version)]
        content = {"name": project, "versions": versions, "files": files}
        return _answer(media_type, content, f"Links for {project}", [_link(file) for file in files])

    def _file(self, name: str) -> dict[str, Any]:
        digest = sha256(name.encode()).hexdigest()
        return {
            "filename": name,
            "url": f"../../files/{name}",
            "hashes": {"sha256": digest},
            "size": 0,
            "yanked": name in self.yanked,
        }


def _files(name: str, version: str) -> list[str]:
    """Return the file names of a source distribution and a wheel."""
    return [f"{name}-{version}.tar.gz", f"{name.replace('-', '_')}-{version}-py3-none-any.whl"]


def _negotiated(accept: str, offered: Sequence[str]) -> str:
    """Return the media type with the highest quality; without a preference HTML, as PyPI does."""
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        media_type, _, parameters = part.partition(";")
        quality = parameters.strip().removeprefix("q=")
        qualities[media_type.strip().lower()] = float(quality) if quality else 1.0
    wanted = [media_type for media_type in offered if qualities.get(media_type, 0.0) > 0]
    if wanted:
        return max(wanted, key=lambda media_type: qualities[media_type])
    return _PLAIN_HTML if _PLAIN_HTML in offered else offered[-1]


def _answer(media_type: str, content: dict[str, Any], title: str, links: Iterable[str]) -> web.Response:
    if media_type == JSON:
        return web.json_response({"meta": {"api-version": "1.1"}, **content}, content_type=JSON)
    lines = "<br>\n".join(links)
    meta = '<meta name="pypi:repository-version" content="1.1">'
    head = f"<head>{meta}<title>{escape(title)}</title></head>"
    text = f"<!DOCTYPE html>\n<html>{head}<body>\n<h1>{escape(title)}</h1>\n{lines}\n</body></html>\n"
    return web.Response(text=text, content_type=media_type)


def _link(file: Mapping[str, Any]) -> str:
    target = f"{file['url']}#sha256={file['hashes']['sha256']}"
    yanked = " data-yanked" if file["yanked"] else ""
    return f'<a href="{escape(target)}"{yanked}>{escape(file["filename"])}</a>'

# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of package indexes with the simple API (PEP 503), which lists versions but has no files."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any

from aiohttp import web

from sandbox.http_server import HttpServer
from sandbox.statuses import not_found

__all__ = ["MAIN", "PackageIndexServer"]

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


class PackageIndexServer(HttpServer):
    """Several package indexes, each at its own path; with the faults and the log of every embedded server.

    Args:
        content: the versions of each package, by the path of the index and the normalized name of the package.
        port: the port to listen on; 0 for a free one.
    """

    def __init__(self, content: Mapping[str, Mapping[str, Sequence[str]]] | None = None, port: int = 0) -> None:
        super().__init__(port)
        self._initial = {MAIN: _VERSIONS} if content is None else content
        self._listed: dict[str, dict[str, list[str]]] = {}
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
        self._listed = {
            index: {name: list(versions) for name, versions in packages.items()}
            for index, packages in self._initial.items()
        }

    async def _show(self, request: web.Request) -> web.Response:
        path = request.match_info["path"].rstrip("/")
        if path in self._listed:
            return _page("Simple index", [(name, f"{name}/") for name in sorted(self._listed[path])])
        index, _, name = path.rpartition("/")
        versions = self._listed.get(index, {}).get(name)
        if versions is None:
            raise not_found("packages", path)
        files = [file for version in versions for file in _files(name, version)]
        return _page(f"Links for {name}", [(file, _target(file)) for file in files])


def _files(name: str, version: str) -> list[str]:
    """Return the file names of a source distribution and a wheel."""
    return [f"{name}-{version}.tar.gz", f"{name.replace('-', '_')}-{version}-py3-none-any.whl"]


def _target(file: str) -> str:
    return f"../../files/{file}#sha256={sha256(file.encode()).hexdigest()}"


def _page(title: str, links: Iterable[tuple[str, str]]) -> web.Response:
    lines = "\n".join(f'<a href="{escape(target)}">{escape(text)}</a><br>' for text, target in links)
    text = f"<!DOCTYPE html>\n<html><head><title>{escape(title)}</title></head><body>\n{lines}\n</body></html>\n"
    return web.Response(text=text, content_type="text/html")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a worker: `/` as a page for operators, and `/status` as JSON for programs."""

import asyncio
import secrets
import time
from dataclasses import asdict

import faust
from faust.web import Request, Response, View
from jinja2 import Environment, PackageLoader, StrictUndefined

from investigator.observability.time_format import format_duration, format_timestamp
from investigator.web.status_collector import StatusCollector
from investigator.web.status_model import Status

_NO_STORE = {"Cache-Control": "no-store"}


def add_status_pages(app: faust.App, collector: StatusCollector) -> None:
    """Add `GET /` and `GET /status`.

    Args:
        app: the application.
        collector: collects the status.
    """

    @app.page("/", name="status page")
    async def page(view: View, _request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        return view.html(render(_current(collector), nonce), headers={**_NO_STORE, **_security_headers(nonce)})

    @app.page("/status", name="status")
    async def status(view: View, _request: Request) -> Response:
        return view.json(asdict(_current(collector)), headers=_NO_STORE)


def _current(collector: StatusCollector) -> Status:
    return collector.status(time.time(), asyncio.get_running_loop().time())


def _security_headers(nonce: str) -> dict[str, str]:
    """Return headers that restrict the browser to the page's own script and style, whatever an error contains."""
    source = f"'nonce-{nonce}'"
    policy = f"default-src 'none'; style-src {source}; script-src {source}; connect-src 'self'"
    return {"Content-Security-Policy": policy}


def render(status: Status, nonce: str) -> str:
    """Return the page as HTML; its style and script elements carry the nonce."""
    return _ENVIRONMENT.get_template("status.html").render(status=status, nonce=nonce)


_ENVIRONMENT = Environment(
    loader=PackageLoader("investigator.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(format_duration=format_duration, format_timestamp=format_timestamp)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a worker, as a page for people and as JSON for programs."""

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
        collector: where it is known.
    """

    @app.page("/", name="status page")
    async def page(view: View, _request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        return view.html(render(_now(collector), nonce), headers={**_NO_STORE, **_policy(nonce)})

    @app.page("/status", name="status")
    async def status(view: View, _request: Request) -> Response:
        return view.json(asdict(_now(collector)), headers=_NO_STORE)


def _now(collector: StatusCollector) -> Status:
    return collector.status(time.time(), asyncio.get_running_loop().time())


def _policy(nonce: str) -> dict[str, str]:
    """Let the browser run and load what the page brings along, and nothing that an error's text might smuggle in."""
    own = f"'nonce-{nonce}'"
    return {"Content-Security-Policy": f"default-src 'none'; style-src {own}; script-src {own}; connect-src 'self'"}


def render(status: Status, nonce: str) -> str:
    """Give the page as HTML; its styles and its script carry the nonce."""
    return _ENVIRONMENT.get_template("status.html").render(status=status, nonce=nonce)


_ENVIRONMENT = Environment(
    loader=PackageLoader("investigator.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(format_duration=format_duration, format_timestamp=format_timestamp)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The views; each asks the board or the registry and answers."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import faust
from faust.web import Request, Response, View

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import ResumeAction

# A halt or resume is told done when the broker has it; an operator at a browser waits no longer than this.
_WRITE_SECONDS = 10.0

_UNPROCESSABLE = 422
_UNAVAILABLE = 503

Change = Callable[[Callable[[], None]], None]


def add_views(app: faust.App, version: str, halt_coordinator: HaltCoordinator, topics: Mapping[str, str]) -> None:
    """Add the views to the application.

    Args:
        app: the application.
        version: the version of the worker.
        board: halts and resumes topics.
        topics: the full name of each topic by its base name.
    """

    @app.page("/_health", name="health")
    async def health(view: View, _request: Request) -> Response:
        return view.json({"status": "ready", "version": version})

    @app.page("/halt/{base_topic_name}", name="halt")
    async def halt(view: View, request: Request, base_topic_name: str) -> Response:
        if (refusal := _refusal(view, base_topic_name, topics)) is not None:
            return refusal
        done = await _written(
            lambda written: halt_coordinator.halt(base_topic_name, by=_who(request), on_written=written)
        )
        return _answer(view, "halted", topics[base_topic_name], done=done)

    @app.page("/resume/{base_topic_name}", name="resume")
    async def resume(view: View, request: Request, base_topic_name: str) -> Response:
        if (refusal := _refusal(view, base_topic_name, topics)) is not None:
            return refusal
        try:
            action = ResumeAction(request.query.get("action", ResumeAction.RETRY.value))
        except ValueError:
            return _unknown(view, "action", request.query["action"], [each.value for each in ResumeAction])
        change = partial(halt_coordinator.resume, base_topic_name, by=_who(request), action=action)
        done = await _written(lambda written: change(on_written=written))
        return _answer(view, "resumed", topics[base_topic_name], done=done)


def _refusal(view: View, base_name: str, topics: Mapping[str, str]) -> Response | None:
    return None if base_name in topics else _unknown(view, "base topic name", base_name, sorted(topics))


def _unknown(view: View, what: str, given: str, known: list[str]) -> Response:
    return view.json({"message": f"Unknown {what} {given!r}; known are: {', '.join(known)}."}, status=_UNPROCESSABLE)


def _who(request: Any) -> str:  # noqa: ANN401  Faust's request is whatever its web server gives
    return f"operator at {request.remote}"


async def _written(change: Change) -> bool:
    written = asyncio.Event()
    change(written.set)
    try:
        await asyncio.wait_for(written.wait(), _WRITE_SECONDS)
    except asyncio.TimeoutError:
        return False
    return True


def _answer(view: View, done_what: str, topic: str, *, done: bool) -> Response:
    if done:
        return view.json({"message": f"Successfully {done_what} consumption of {topic}."})
    message = f"The broker has not confirmed yet that {topic} is {done_what}; this worker keeps trying."
    return view.json({"message": message}, status=_UNAVAILABLE)

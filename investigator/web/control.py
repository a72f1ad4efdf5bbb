# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for probes and for control: `/_health`, `/halt/{base_topic_name}` and `/resume/{base_topic_name}`."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import faust
from faust.web import Request, Response, View

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import ResumeAction

# The page answers once the broker has the halt or resume record; an operator at a browser waits at most this long.
_WRITE_SECONDS = 10.0

_UNPROCESSABLE = 422
_UNAVAILABLE = 503

#: Writes a halt or resume record, and calls its argument when the broker has the record.
Change = Callable[[Callable[[], None]], None]


def add_views(app: faust.App, version: str, halt_coordinator: HaltCoordinator, topics: Mapping[str, str]) -> None:
    """Add the pages to the application.

    Args:
        app: the application.
        version: the version of the worker.
        halt_coordinator: halts and resumes topics.
        topics: the full name of each topic by its base name.
    """

    @app.page("/_health", name="health")
    async def health(view: View, _request: Request) -> Response:
        return view.json({"status": "ready", "version": version})

    @app.page("/halt/{base_topic_name}", name="halt")
    async def halt(view: View, request: Request, base_topic_name: str) -> Response:
        if (refusal := _refuse_unknown_topic(view, base_topic_name, topics)) is not None:
            return refusal
        change = partial(halt_coordinator.halt, base_topic_name, by=_operator(request))
        is_written = await _write(lambda on_written: change(on_written=on_written))
        return _answer(view, "halted", topics[base_topic_name], is_written=is_written)

    @app.page("/resume/{base_topic_name}", name="resume")
    async def resume(view: View, request: Request, base_topic_name: str) -> Response:
        if (refusal := _refuse_unknown_topic(view, base_topic_name, topics)) is not None:
            return refusal
        try:
            action = ResumeAction(request.query.get("action", ResumeAction.RETRY.value))
        except ValueError:
            return _refuse(view, "action", request.query["action"], [each.value for each in ResumeAction])
        change = partial(halt_coordinator.resume, base_topic_name, by=_operator(request), action=action)
        is_written = await _write(lambda on_written: change(on_written=on_written))
        return _answer(view, "resumed", topics[base_topic_name], is_written=is_written)


def _refuse_unknown_topic(view: View, base_name: str, topics: Mapping[str, str]) -> Response | None:
    return None if base_name in topics else _refuse(view, "base topic name", base_name, sorted(topics))


def _refuse(view: View, parameter: str, value: str, known: list[str]) -> Response:
    message = f"Unknown {parameter} {value!r}; known are: {', '.join(known)}."
    return view.json({"message": message}, status=_UNPROCESSABLE)


def _operator(request: Any) -> str:  # noqa: ANN401  the type of a request depends on Faust's web driver
    return f"operator at {request.remote}"


async def _write(change: Change) -> bool:
    written = asyncio.Event()
    change(written.set)
    try:
        await asyncio.wait_for(written.wait(), _WRITE_SECONDS)
    except asyncio.TimeoutError:
        return False
    return True


def _answer(view: View, state: str, topic: str, *, is_written: bool) -> Response:
    if is_written:
        return view.json({"message": f"Successfully {state} consumption of {topic}."})
    message = f"The broker has not confirmed yet that {topic} is {state}; this worker keeps trying."
    return view.json({"message": message}, status=_UNAVAILABLE)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for probes and for control: `/_health`, `/halt/{base_topic_name}` and `/resume/{base_topic_name}`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import faust
from faust.web import Request, Response, View

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import ResumeAction

# The page answers once the broker has the halt or resume record; an operator at a browser waits at most this long.
_WRITE_SECONDS = 10.0

# How long the page of a resume waits for the failed messages, unless its parameter `wait` says otherwise.
_RESULT_SECONDS = 10.0
_MAX_RESULT_SECONDS = 300.0

_UNPROCESSABLE = 422
_UNAVAILABLE = 503

#: Writes a halt or resume record, and calls its argument when the broker has the record.
Change = Callable[[Callable[[], None]], None]


def add_views(
    app: faust.App,
    version: str,
    halt_coordinator: HaltCoordinator,
    topics: Mapping[str, str],
    redact: Callable[[str], str] = str,
) -> None:
    """Add the pages to the application.

    Args:
        app: the application.
        version: the version of the worker.
        halt_coordinator: halts and resumes topics.
        topics: the full name of each topic by its base name.
        redact: removes passwords from a text.
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
        if (seconds := _result_seconds(request)) is None:
            return _refuse(view, "wait", request.query["wait"], [f"seconds from 0 to {_MAX_RESULT_SECONDS:g}"])
        resume = halt_coordinator.resume(base_topic_name, by=_operator(request), action=action)
        is_written = await _is_set(resume.written, _WRITE_SECONDS)
        results = [each.to_json(redact) for each in await resume.wait(seconds)] if is_written else []
        return _answer(view, "resumed", topics[base_topic_name], is_written=is_written, results=results)


def _result_seconds(request: Request) -> float | None:
    """Return how long to wait for the failed messages; None if the parameter is no such number."""
    try:
        seconds = float(request.query.get("wait", _RESULT_SECONDS))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _MAX_RESULT_SECONDS else None


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
    return await _is_set(written, _WRITE_SECONDS)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


def _answer(
    view: View, state: str, topic: str, *, is_written: bool, results: Sequence[Mapping[str, Any]] = ()
) -> Response:
    if not is_written:
        message = f"The broker has not confirmed yet that {topic} is {state}; this worker keeps trying."
        return view.json({"message": message}, status=_UNAVAILABLE)
    answer: dict[str, Any] = {"message": f"Successfully {state} consumption of {topic}."}
    if results:
        answer["messages"] = results
    return view.json(answer)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and errors that were recorded, and the files that hold them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["RecordedAnswer", "RecordedError", "load_answers", "load_errors"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class RecordedAnswer:
    """An HTTP answer, and how it is to be judged.

    Attributes:
        name: identifies the answer; faults refer to it.
        row: the row of the table of answers in docs/reference/errors.md that it must match.
        code: the HTTP status.
        body: the text of the body.
        content_type: the media type of the body.
        headers: further headers.
        method: the method of the requests that get it.
    """

    name: str
    row: str
    code: int
    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True)
class RecordedError:
    """An error of PostgreSQL, and the row of the table of answers that it must match."""

    row: str
    sqlstate: str
    message: str


def load_answers(name: str) -> tuple[RecordedAnswer, ...]:
    """Return the answers of a file; an entry with a message is a Status object of Kubernetes."""
    return tuple(_answer(key, entry) for key, entry in _load(name).items())


def load_errors(name: str) -> tuple[RecordedError, ...]:
    """Return the errors of a file."""
    return tuple(
        RecordedError(row, str(code), text) for row, each in _load(name).items() for code, text in each.items()
    )


def _load(name: str) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text("utf-8"))
    return content


def _answer(name: str, entry: dict[str, Any]) -> RecordedAnswer:
    parts = {key: value for key, value in entry.items() if key not in {"reason", "message", "details"}}
    if "message" in entry:
        parts["body"] = json.dumps(_status(entry))
    return RecordedAnswer(name=name, **parts)


def _status(entry: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {key: entry[key] for key in ("message", "reason", "details", "code") if key in entry}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", **fields}

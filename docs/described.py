# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reference pages say about a message type, from its record and handlers."""

import sys
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from investigator.agent import MessageType


def handlers(each: MessageType) -> list[str]:
    """Say what each mode does with the message."""
    return [f"{mode}: {one_line(handler.__doc__)}" for mode, handler in each.handlers.items()]


def description(each: MessageType) -> str:
    """Say what the message means: what its file in `agents` says at its top."""
    return one_line(sys.modules[each.record.__module__].__doc__)


def default(each: MessageType, name: str) -> object:
    """Give the default of a field that has one."""
    return getattr(each.record, "_options").defaults[name]  # noqa: B009  (Faust has no public way to ask)


def schema_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401  (annotations have no common type)
    """Give the JSON schema of a field's type, with what it refers to put in place."""
    schema = TypeAdapter(kind).json_schema()
    inlined: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return inlined


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    noise = {key for key in ("title", "writeOnly") if not isinstance(schema.get(key), dict)}
    return {key: _inlined(value, definitions) for key, value in schema.items() if key not in noise}


def one_line(docstring: str | None) -> str:
    """Give a docstring without its line breaks."""
    return " ".join((docstring or "").split())

# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of a message type for the reference pages, from its record and handlers."""

import sys
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from investigator.agent import MessageType


def handlers(each: MessageType) -> list[str]:
    """Return one line for each mode: the mode and the effect of the message there."""
    return [f"{mode}: {one_line(handler.__doc__)}" for mode, handler in each.handlers.items()]


def description(each: MessageType) -> str:
    """Return the meaning of the message: the docstring of its module in `agents`."""
    return one_line(sys.modules[each.record.__module__].__doc__)


def default(each: MessageType, name: str) -> object:
    """Return the default of a field that has one."""
    return getattr(each.record, "_options").defaults[name]  # noqa: B009  (Faust has no public accessor)


def schema_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401  (annotations have no common type)
    """Return the JSON schema of a field's type, with all references inlined."""
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
    """Return a docstring without its line breaks."""
    return " ".join((docstring or "").split())

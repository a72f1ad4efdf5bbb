# SPDX-License-Identifier: GPL-3.0-or-later
"""The AsyncAPI document of all topics, derived from the declarations of the agents."""

import re
from typing import Any

from docs.described import default, description, handlers, one_line, schema_of
from investigator import __version__
from investigator.agent import MessageType
from investigator.agent.message import fields_of

ASYNCAPI = "3.0.0"


def asyncapi(types: list[MessageType]) -> dict[str, Any]:
    """Return the AsyncAPI document of all topics."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "investigator",
            "version": __version__,
            "description": "The messages of Project Thoth that investigator consumes.",
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "channels": {_identifier(each): _channel(each) for each in types},
        "operations": {f"handle_{_identifier(each)}": _operation(each) for each in types},
    }


def _channel(each: MessageType) -> dict[str, Any]:
    message = {"name": each.record.__name__, "summary": one_line(each.record.__doc__), "payload": _payload(each)}
    return {
        "address": f"{{deployment}}.{each.base_name}",
        "description": description(each),
        "parameters": {"deployment": {"description": "THOTH_DEPLOYMENT_NAME of the deployment"}},
        "messages": {each.record.__name__: message},
    }


def _operation(each: MessageType) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_identifier(each)}"},
        "description": "\n".join(handlers(each)) or "Counted in metrics mode.",
        "tags": [{"name": str(mode)} for mode in each.handlers],
    }


def _payload(each: MessageType) -> dict[str, Any]:
    fields = fields_of(each.record)
    properties = {name: _property(each, name, kind, required=required) for name, (kind, required) in fields.items()}
    properties["version"]["enum"] = list(each.versions)
    return {
        "type": "object",
        "required": [name for name, (_, required) in fields.items() if required],
        "properties": properties,
    }


def _property(each: MessageType, name: str, kind: Any, *, required: bool) -> dict[str, Any]:  # noqa: ANN401  (annotations have no common type)
    schema = schema_of(kind)
    return schema if required or default(each, name) is None else {**schema, "default": default(each, name)}


def _identifier(each: MessageType) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", each.base_name)

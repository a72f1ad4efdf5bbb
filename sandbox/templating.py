# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenShift's template processing: replaces references to parameters in the objects by the parameters' values."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from sandbox.statuses import Refusal, bad_request

__all__ = ["load_templates", "process"]

_FOLDER = Path(__file__).parent / "templates"
_TEXT = re.compile(r"\$\{(\w+)\}", re.ASCII)
_WHOLE = re.compile(r"\$\{\{(\w+)\}\}", re.ASCII)


def load_templates(folder: Path = _FOLDER) -> list[dict[str, Any]]:
    """Return the OpenShift templates of a folder, one for each YAML file; by default the sandbox's own."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yaml"))]


def process(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template with the parameters' values in its objects.

    Raises:
        Refusal: with status 400 if a value is not a string, and with 422 if a required parameter has no value.
    """
    parameters = template.get("parameters") or []
    values = {parameter["name"]: _value(template, index, parameter) for index, parameter in enumerate(parameters)}
    return {**template, "objects": _substitute(template.get("objects") or [], values)}


def _value(template: dict[str, Any], index: int, parameter: dict[str, Any]) -> str:
    value = "" if parameter.get("value") is None else parameter["value"]
    if not isinstance(value, str):
        message = f"json: cannot unmarshal {value!r} into Go struct field Parameter.parameters.value of type string"
        raise bad_request(message)
    if parameter.get("required") and not value:
        raise _missing(template, index, parameter["name"])
    return value


def _missing(template: dict[str, Any], index: int, parameter: str) -> Refusal:
    name = template.get("metadata", {}).get("name", "")
    field = f"template.parameters[{index}]"
    why = f"Required value: {field}: parameter {parameter} is required and must be specified"
    cause = {"reason": "FieldValueRequired", "message": why, "field": field}
    group = "template.openshift.io"
    message = f'Template.{group} "{name}" is invalid: {field}: {why}'
    return Refusal(422, "Invalid", message, name=name, group=group, kind="Template", causes=[cause])


def _substitute(node: Any, values: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, dict):
        return {_text(key, values): _substitute(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_substitute(item, values) for item in node]
    return _string(node, values) if isinstance(node, str) else node


def _string(text: str, values: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    whole = _WHOLE.fullmatch(text)
    if whole and whole[1] in values:
        return _json_or_text(values[whole[1]])
    return _text(text, values)


def _text(text: str, values: dict[str, str]) -> str:
    return _TEXT.sub(lambda found: values.get(found[1], found[0]), text)


def _json_or_text(value: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of `${{NAME}}`: decoded if it is valid JSON, or else the text itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value

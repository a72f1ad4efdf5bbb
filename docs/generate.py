# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the reference pages from the code: `python -m docs.generate`; with `--check` only says whether they are so."""

import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from docs.asyncapi import asyncapi
from docs.described import default, description, handlers, one_line, schema_of
from investigator.agent import MessageType
from investigator.agent.message import fields_of
from investigator.app import load_message_types
from investigator.observability.metrics import definitions
from investigator.settings.reference import Setting, reference

ROOT = Path(__file__).resolve().parent.parent
NOTE = "Written by `make docs` from the code; change it there."

CONFIGURATION = """\
Everything is set by environment variables; an empty one counts as absent. A worker that starts with wrong or missing
ones ends at once and lists everything that is wrong."""

MESSAGES = """\
A topic is named `{THOTH_DEPLOYMENT_NAME}.{base name}`. Values are JSON objects. Every message has `component_name`,
`service_version` and `version` (absent: `v1`) beside the fields below. Null counts as absent where a field has a
default; fields that are not listed are ignored; anything else that does not fit is an error that names the field. In
metrics mode the messages of every type are counted by version."""

METRICS = """\
On `/metrics`, together with Faust's own. Names of counters end in `_total` there, and that of the info in `_info`."""


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; gives the exit status."""
    wrong = 0
    for path, text in pages(load_message_types()).items():
        if "--check" in arguments:
            wrong += _differs(path, text)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if wrong else 0


def pages(message_types: Mapping[str, MessageType]) -> dict[Path, str]:
    """Give the text of every page that is derived from the code."""
    types = [message_types[name] for name in sorted(message_types)]
    return {
        ROOT / "docs" / "configuration.md": _configuration(),
        ROOT / "docs" / "messages.md": _messages(types),
        ROOT / "docs" / "metrics.md": _metrics(),
        ROOT / "docs" / "asyncapi.yaml": f"# {NOTE}\n{yaml.safe_dump(asyncapi(types), sort_keys=False, width=110)}",
    }


def _differs(path: Path, text: str) -> bool:
    name = str(path.relative_to(ROOT))
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    diff = list(difflib.unified_diff(there.splitlines(), text.splitlines(), name, "the code says", lineterm=""))
    if diff:
        print("\n".join(diff), "", f"{name} is not what the code says: run `make docs`", sep="\n", file=sys.stderr)
    return bool(diff)


def _configuration() -> str:
    sections = dict.fromkeys(setting.section for setting in reference())
    return _page(["# Configuration", NOTE, CONFIGURATION, *(part for each in sections for part in _section(each))])


def _section(title: str) -> Iterable[str]:
    yield f"## {title}"
    rows = [_row(setting) for setting in reference() if setting.section == title]
    yield _table(("Variable", "Default", "Takes", "What for"), rows)


def _row(setting: Setting) -> tuple[str, ...]:
    takes = f"{setting.form}; {setting.unit}" if setting.unit else setting.form
    return (
        f"`{setting.variable}`",
        "**required**" if setting.required else _code(setting.default),
        takes,
        setting.purpose,
    )


def _messages(types: list[MessageType]) -> str:
    rows = [
        (f"[`{each.base_name}`](#{_anchor(each.base_name)})", ", ".join(each.versions), "<br>".join(handlers(each)))
        for each in types
    ]
    table = _table(("Base name", "Versions", "What happens, by mode"), rows)
    return _page(["# Messages", NOTE, MESSAGES, table, *(part for each in types for part in _message(each))])


def _message(each: MessageType) -> Iterable[str]:
    rows = [
        (f"`{name}`", _kind_text(kind), "**required**" if required else _code(json.dumps(default(each, name))))
        for name, (kind, required) in _own_fields(each).items()
    ]
    yield f"## {each.base_name}"
    yield description(each)
    yield one_line(each.record.__doc__)
    yield _table(("Field", "Type", "Default"), rows)
    if aliases := each.record.aliases:
        yield f"Older names: {', '.join(f'`{old}` for `{new}`' for old, new in aliases.items())}."


def _own_fields(each: MessageType) -> dict[str, tuple[Any, bool]]:
    common = {"component_name", "service_version", "version"}
    return {name: field for name, field in fields_of(each.record).items() if name not in common}


def _kind_text(kind: Any) -> str:  # noqa: ANN401  (annotations have no common type)
    schema = schema_of(kind)
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return " or ".join(_type_text(each) for each in choices)


def _type_text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "password":
        return "password"
    if schema.get("type") == "array":
        return f"array of {_type_text(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _metrics() -> str:
    rows = [
        (f"`{each.name}`", each.kind.__name__.lower(), ", ".join(map(_code, each.labels)), each.documentation)
        for each in definitions()
    ]
    return _page(["# Metrics", NOTE, METRICS, _table(("Name", "Kind", "Labels", "What"), rows)])


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9-]", "", heading.lower())


def _code(value: str) -> str:
    return f"`{value}`" if value not in ("", "null") else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

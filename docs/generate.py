# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the reference pages from the code: `python -m docs.generate`; with `--check`, compare them instead."""

import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from docs.acl_page import permissions_page
from docs.asyncapi import asyncapi
from docs.described import default, description, handlers, one_line, schema_of
from docs.errors import error_page
from investigator.agent import MessageType
from investigator.agent.message import fields_of
from investigator.message_types import load_message_types
from investigator.observability.metrics import definitions
from investigator.settings.reference import Setting, reference
from tools.guarantees import Fault, Guarantee, load_guarantees

ROOT = Path(__file__).resolve().parent.parent
#: Folder of the generated pages, relative to ROOT.
REFERENCE = Path("docs", "reference")
GUARANTEES_PAGE = Path("docs", "explanation", "guarantees.md")
NOTE = "`make docs` writes this page from the code; change it there."

CONFIGURATION = """\
Environment variables set everything; an empty variable counts as absent. A worker that starts with wrong or missing
variables lists every error and exits with status 1."""

MESSAGES = """\
The name of a topic is `{THOTH_DEPLOYMENT_NAME}.{base name}`. Values are JSON objects. Beside the fields below, every
message has `component_name`, `service_version` and `version` (absent: `v1`). Null counts as absent where a field has a
default. The worker ignores fields that are not listed. Any other mismatch is an error that names the field. A worker in
metrics mode counts the messages of every type by version."""

METRICS = """\
A worker serves these on `/metrics`, together with Faust's own. There, the names of counters end in `_total`, and the
name of the info metric in `_info`."""

GUARANTEES = """\
What investigator guarantees, and how that is known. Each row is a fault that a change could bring into the code, and
the test that fails then. `make break-guarantees` makes one fault after the other in a copy of the checkout, and expects
that test to fail. `tools/guarantees.yaml` has the code of each fault. A guarantee covers more than its rows: the other
tests of these modules check it too, and so do the end-to-end tests, which run real workers under injected faults."""


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with `--check`; return the exit status."""
    wrong = 0
    for path, text in pages(load_message_types()).items():
        if "--check" in arguments:
            wrong += _differs(path, text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if wrong else 0


def pages(message_types: Mapping[str, MessageType]) -> dict[Path, str]:
    """Return the text of every generated page, by its path."""
    types = [message_types[name] for name in sorted(message_types)]
    folder = ROOT / REFERENCE
    return {
        folder / "configuration.md": _configuration(),
        folder / "messages.md": _messages(types),
        folder / "metrics.md": _metrics(),
        folder / "errors.md": _page(["# Errors", NOTE, *error_page()]),
        folder / "kafka.md": _page(["# Permissions in Kafka", NOTE, *permissions_page(types)]),
        ROOT / GUARANTEES_PAGE: _guarantees(),
        folder / "asyncapi.yaml": f"# {NOTE}\n{yaml.safe_dump(asyncapi(types), sort_keys=False, width=110)}",
    }


def _differs(path: Path, text: str) -> bool:
    name = str(path.relative_to(ROOT))
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    diff = list(difflib.unified_diff(current.splitlines(), text.splitlines(), name, "generated", lineterm=""))
    if diff:
        print("\n".join(diff), "", f"{name} differs from the code: run `make docs`", sep="\n", file=sys.stderr)
    return bool(diff)


def _configuration() -> str:
    sections = dict.fromkeys(setting.section for setting in reference())
    return _page(["# Configuration", NOTE, CONFIGURATION, *(part for each in sections for part in _section(each))])


def _section(title: str) -> Iterable[str]:
    yield f"## {title}"
    rows = [_row(setting) for setting in reference() if setting.section == title]
    yield _table(("Variable", "Default", "Format", "Purpose"), rows)


def _row(setting: Setting) -> tuple[str, ...]:
    form = f"{setting.form}; {setting.unit}" if setting.unit else setting.form
    return (
        f"`{setting.variable}`",
        "**required**" if setting.required else _code(setting.default),
        form,
        setting.purpose,
    )


def _messages(types: list[MessageType]) -> str:
    rows = [
        (f"[`{each.base_name}`](#{_anchor(each.base_name)})", ", ".join(each.versions), "<br>".join(handlers(each)))
        for each in types
    ]
    table = _table(("Base name", "Versions", "Effect, by mode"), rows)
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
        yield f"Older names of fields: {', '.join(f'`{old}` for `{new}`' for old, new in aliases.items())}."


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


def _metric_type(kind: type) -> str:
    return kind.__name__.removeprefix("Capped").lower()


def _metrics() -> str:
    rows = [
        (
            f"`{each.name}`",
            each.kind.__name__.removeprefix("Capped").lower(),
            ", ".join(map(_code, each.labels)),
            each.documentation,
        )
        for each in definitions()
    ]
    return _page(["# Metrics", NOTE, METRICS, _table(("Name", "Type", "Labels", "Meaning"), rows)])


def _guarantees() -> str:
    sections = (part for each in load_guarantees() for part in _guarantee(each))
    return _page(["# Guarantees and their tests", NOTE, GUARANTEES, *sections])


def _guarantee(each: Guarantee) -> Iterable[str]:
    yield f"## {each.guarantee}"
    yield f"With real workers: {', '.join(map(_link, each.end_to_end))}."
    yield _table(("Fault", "Broken for the check", "Test that fails"), map(_fault, each.faults))


def _fault(each: Fault) -> tuple[str, ...]:
    file, _, test = each.test.partition("::")
    return each.fault, _link(each.file), f"`{test}` in {_link(file)}"


def _link(file: str) -> str:
    return f"[{Path(file).name}](../../{file})"


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

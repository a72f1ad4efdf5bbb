# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference page of errors: the tables of answers, each row with answers that real servers sent."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.graph.answers import GRAPH_ANSWERS
from investigator.package_index.answers import INDEX_ANSWERS
from investigator.resilience.answers import Row
from sandbox.recorded import CLUSTER, GATEWAYS, GRAPH, PACKAGE_INDEX, RecordedAnswer

INTRODUCTION = """\
What an answer of a dependency means for the message that waits for it. The first row that matches decides. The cause
is the beginning of the error's text, in logs, on the status page, and in dead letters.

| meaning | what the worker does |
| --- | --- |
| fails permanently | the answer is about this message: no attempt follows; it halts its topic or is a dead letter |
| temporary | it is unclear what the answer is about: another attempt follows, and each one counts |
| unavailable | the answer concerns every message: they wait, and no attempt counts |
| wait for room | the message waits as for a namespace at its pending limit |
| done | nothing is left to do |

A code is an HTTP status or Kubernetes' reason, an SQLSTATE, or a class of exceptions; `?` and `*` stand for any
characters. A text is a regular expression that the answer's message must contain."""

_MAX_EXAMPLE = 300


def error_page() -> Iterator[str]:
    """Yield the parts of the page after its title."""
    yield INTRODUCTION
    http = [*CLUSTER, *GATEWAYS]
    yield from _section(
        "Cluster", "Only answers to POST requests can be about a message.", CLUSTER_ANSWERS, _http(http)
    )
    graph = [(error.row, f"{error.sqlstate} {error.message}") for error in GRAPH]
    yield from _section(
        "Knowledge graph",
        "A connection to a server that stops, or that refuses writes, is dropped.",
        GRAPH_ANSWERS,
        graph,
    )
    yield from _section(
        "Package indexes",
        "Answers with status 200 that are no listing are temporary.",
        INDEX_ANSWERS,
        _http(PACKAGE_INDEX),
    )


def _section(title: str, note: str, rows: Sequence[Row], examples: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"## {title}"
    yield note
    table = [(row.name, _answer(row), row.meaning.value, row.cause) for row in rows]
    yield _table(("Row", "Answer", "Meaning", "Cause"), table)
    yield f"### Examples: {title.lower()}"
    yield _table(("Row", "Answer"), [(row, f"`{_escaped(example)}`") for row, example in _in_order(rows, examples)])


def _in_order(rows: Sequence[Row], examples: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    order = [row.name for row in rows]
    return sorted(examples, key=lambda example: order.index(example[0]))


def _answer(row: Row) -> str:
    parts = [", ".join(f"`{code}`" for code in row.codes)]
    parts += [f"from {' or '.join(row.senders)}"] if row.senders else []
    parts += [f"to {row.method}"] if row.method else []
    parts += [f"with text `{_escaped(row.text)}`"] if row.text else []
    return " ".join(parts)


def _http(answers: Iterable[RecordedAnswer]) -> list[tuple[str, str]]:
    return [(answer.row, f"{answer.code} {_body(answer)}"[:_MAX_EXAMPLE].strip()) for answer in answers]


def _body(answer: RecordedAnswer) -> str:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return " ".join(answer.body.split())
    if content.get("kind") != "Status":
        return answer.body
    return f"{content.get('reason', '')} {content['message']}".strip()


def _escaped(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("`", "'").replace("|", "\\|")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

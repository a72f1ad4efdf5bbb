# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path
from typing import Any

import pytest

from docs import generate
from docs.asyncapi import asyncapi
from docs.errors import error_page
from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.graph.answers import GRAPH_ANSWERS
from investigator.message_types import load_message_types
from investigator.observability.metrics import definitions
from investigator.package_index.answers import INDEX_ANSWERS
from investigator.settings.reference import reference
from sandbox.recorded import HTTP


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the AsyncAPI document of all topics."""
    return asyncapi(list(load_message_types().values()))


def test_the_pages_name_every_setting_message_and_metric() -> None:
    """Nothing that exists goes undocumented."""
    texts = {path.name: text for path, text in generate.pages(load_message_types()).items()}
    assert [each.variable for each in reference() if f"| `{each.variable}` |" not in texts["configuration.md"]] == []
    assert [name for name in load_message_types() if f"## {name}\n" not in texts["messages.md"]] == []
    assert [each.name for each in definitions() if f"| `{each.name}` |" not in texts["metrics.md"]] == []


def test_a_page_that_differs_from_the_code_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changed code with old pages does not pass, and the check shows the difference."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    page = tmp_path / "docs" / "reference" / "metrics.md"
    page.write_text(page.read_text("utf-8").replace("thoth_investigator_failures", "failures"), "utf-8")
    assert generate.main(["--check"]) == 1
    assert "-| `failures` |" in capsys.readouterr().err


def test_each_topic_has_a_channel_with_its_message_and_an_operation(document: dict[str, Any]) -> None:
    """References inside the document have a target."""
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {f"{{deployment}}.{name}" for name in load_message_types()}
    targets = {operation["channel"]["$ref"] for operation in document["operations"].values()}
    assert targets == {f"#/channels/{name}" for name in document["channels"]}


def test_the_page_of_errors_has_every_row_with_an_answer() -> None:
    """An operator finds each cause, and an answer to compare with."""
    page = "\n".join(error_page())
    for row in (*CLUSTER_ANSWERS, *GRAPH_ANSWERS, *INDEX_ANSWERS):
        assert f"| {row.name} | `{row.codes[0]}`" in page
        assert f" | {row.meaning.value} | {row.cause} |" in page
    for answer in HTTP.values():
        assert f"| {answer.row} | `{answer.code}" in page

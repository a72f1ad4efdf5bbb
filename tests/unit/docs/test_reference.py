# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path
from typing import Any

import pytest

from docs import generate
from docs.asyncapi import asyncapi
from investigator.app import load_message_types
from investigator.observability.metrics import definitions
from investigator.settings.reference import reference


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

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.inspection-completed"
DOCUMENT = "inspection-211224120000-0123456789abcdef"


@pytest.mark.parametrize(("fields", "force"), [({}, "False"), ({"force_sync": True}, "True")])
async def test_the_inspections_document_is_synced(fields: dict[str, object], force: str) -> None:
    """By force only where the message says so."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"inspection_id": DOCUMENT, **fields}) is None

    assert harness.parameters("graph-sync") == [{"THOTH_SYNC_DOCUMENT_ID": DOCUMENT, "THOTH_FORCE_SYNC": force}]


async def test_the_sync_has_an_id_of_its_own() -> None:
    """The inspection's id is that of another workflow, and of the document."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"inspection_id": DOCUMENT}) is None

    assert harness.workflows[0].id.startswith("graph-sync-")

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.inspection-completed"
DOCUMENT = "inspection-211224120000-0123456789abcdef"
EXAMPLE = Example(
    BASE_NAME,
    required={"inspection_id": DOCUMENT},
    optional={"force_sync": True},
    workflows={Mode.MIDDLETIER: ["graph-sync"]},
)


@pytest.mark.parametrize(("fields", "force"), [({}, "False"), ({"force_sync": True}, "True")])
async def test_the_document_is_synced_by_force_only_if_the_message_asks_for_it(
    fields: dict[str, object], force: str
) -> None:
    """Without force, graph-sync skips a document that the graph holds."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"inspection_id": DOCUMENT, **fields}) is None

    assert harness.parameters("graph-sync") == [{"THOTH_SYNC_DOCUMENT_ID": DOCUMENT, "THOTH_FORCE_SYNC": force}]


async def test_the_sync_has_an_id_of_its_own() -> None:
    """The inspection's id is that of another workflow, and of the document."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"inspection_id": DOCUMENT}) is None

    assert harness.workflows[0].id.startswith("graph-sync-")

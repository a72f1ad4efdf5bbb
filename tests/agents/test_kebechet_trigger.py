# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.delivery.errors import PermanentError
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.kebechet-trigger"


async def test_kebechet_gets_the_whole_payload_and_the_name_of_the_repository() -> None:
    """What the git service said is handed on, whatever it holds."""
    payload = {"action": "created", "repository": {"full_name": "thoth-station/cli-examples", "id": 7}, "emoji": "😀"}
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": payload}) is None

    (given,) = harness.parameters("kebechet")
    assert json.loads(given["WEBHOOK_PAYLOAD"]) == payload
    assert given["KEBECHET_SLUG"] == "thoth-station/cli-examples"


@pytest.mark.parametrize(
    "payload",
    [{}, {"action": "created"}, {"action": "created", "repository": None}, {"repository": {}}],
)
async def test_an_event_about_no_repository_is_handed_on_without_its_name(payload: dict[str, object]) -> None:
    """An installation of the app, for one, is about several repositories or none."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": payload}) is None

    (given,) = harness.parameters("kebechet")
    assert "KEBECHET_SLUG" not in given
    assert json.loads(given["WEBHOOK_PAYLOAD"]).get("action") == payload.get("action")


@pytest.mark.parametrize("repository", ["thoth-station/cli-examples", 7, [], True])
async def test_a_repository_that_is_no_object_is_refused_by_name(repository: object) -> None:
    """The library below would stumble over it; the operator learns the field instead."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {"webhook_payload": {"repository": repository}}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'webhook_payload.repository': should be an object"
    assert (failure.attempts, harness.faults.calls) == (1, 0)


async def test_the_id_of_the_message_is_the_id_of_the_workflow() -> None:
    """The sender can find the workflow that it asked for."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": {}, "job_id": "kebechet-job-220101000000-1"}) is None

    assert harness.workflows[0].id == "kebechet-job-220101000000-1"

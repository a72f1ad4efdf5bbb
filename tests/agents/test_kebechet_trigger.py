# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import Mode, PermanentError
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.kebechet-trigger"
EXAMPLE = Example(
    BASE_NAME,
    required={"webhook_payload": {"action": "created", "repository": {"full_name": "thoth-station/cli-examples"}}},
    optional={"job_id": None},
    workflows={Mode.BACKEND: ["kebechet"]},
)


async def test_kebechet_gets_the_whole_payload_and_the_name_of_the_repository() -> None:
    """The worker passes the payload on unchanged."""
    payload = {"action": "created", "repository": {"full_name": "thoth-station/cli-examples", "id": 7}, "emoji": "😀"}
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": payload}) is None

    (parameters,) = harness.parameters("kebechet")
    assert json.loads(parameters["WEBHOOK_PAYLOAD"]) == payload
    assert parameters["KEBECHET_SLUG"] == "thoth-station/cli-examples"


@pytest.mark.parametrize(
    "payload",
    [{}, {"action": "created"}, {"action": "created", "repository": None}, {"repository": {}}],
)
async def test_a_payload_without_a_repository_is_passed_on_without_a_name(payload: dict[str, object]) -> None:
    """An installation of the GitHub app, for example, concerns several repositories or none."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": payload}) is None

    (parameters,) = harness.parameters("kebechet")
    assert "KEBECHET_SLUG" not in parameters
    assert json.loads(parameters["WEBHOOK_PAYLOAD"]).get("action") == payload.get("action")


@pytest.mark.parametrize("repository", ["thoth-station/cli-examples", 7, [], True])
async def test_a_repository_that_is_not_an_object_is_refused_by_field_name(repository: object) -> None:
    """thoth-common would raise an AttributeError, which does not name the field."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, {"webhook_payload": {"repository": repository}}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error) == "field 'webhook_payload.repository': should be an object"
    assert (failure.attempts, harness.faults.calls) == (1, 0)


async def test_the_job_id_of_the_message_is_the_id_of_the_workflow() -> None:
    """The sender can find its workflow."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"webhook_payload": {}, "job_id": "kebechet-job-220101000000-1"}) is None

    assert harness.workflows[0].id == "kebechet-job-220101000000-1"

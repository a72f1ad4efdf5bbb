# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.delivery.errors import PermanentError
from tests.agents.examples import EXAMPLES, METADATA
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.adviser-trigger"
FIELDS = EXAMPLES[BASE_NAME].fields


async def test_the_adviser_gets_everything_that_its_workflow_takes() -> None:
    """Whoever asked finds his words in the workflow; the limit on latest versions is the one that it does not take."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FIELDS) is None

    (given,) = harness.parameters("adviser")
    assert json.loads(given.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "re_run_adviser_id": "adviser-211224120000-0123456789abcdef",
        "source_type": "KEBECHET",
        "kebechet_metadata": METADATA,
        "thoth.adviser": {
            "justification": [{"message": "flask was released", "type": "INFO"}],
            "stack_info": [{"message": "all is well", "type": "INFO"}],
        },
    }
    assert json.loads(given.pop("THOTH_ADVISER_DEPLOYMENT_PACKAGE_UPDATE"))["package_name"] == "flask"
    assert given == {
        "THOTH_ADVISER_RECOMMENDATION_TYPE": "latest",
        "THOTH_ADVISER_DEV": "1",
        "THOTH_LOG_ADVISER": "DEBUG",
        "THOTH_AUTHENTICATED_ADVISE": "1",
        "THOTH_ADVISER_PREDICTOR_CONFIG": "{}",
        "THOTH_ADVISER_LIMIT": "1000",
        "THOTH_ADVISER_COUNT": "2",
    }


async def test_the_least_message_leaves_the_rest_to_the_template() -> None:
    """Count and limit have their defaults in the template, not here."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"recommendation_type": "stable"}) is None

    (given,) = harness.parameters("adviser")
    assert (given["THOTH_ADVISER_DEV"], given["THOTH_LOG_ADVISER"], given["THOTH_AUTHENTICATED_ADVISE"]) == (
        "0",
        "INFO",
        "0",
    )
    assert not {"THOTH_ADVISER_LIMIT", "THOTH_ADVISER_COUNT", "THOTH_ADVISER_DEPLOYMENT_PACKAGE_UPDATE"} & set(given)


@pytest.mark.parametrize("job_id", ["adviser-220102030405-00000000deadbeef", None, ""])
async def test_the_id_of_the_message_is_the_id_of_the_workflow(job_id: str | None) -> None:
    """The user was told that id, and asks for the result by it; without one an id is derived."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FIELDS, "job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == (job_id or workflow.id)
    assert workflow.id.startswith("adviser-")


@pytest.mark.parametrize("wrong", [{"source_type": "TELEPHONE"}, {"source_type": "KEBECHET", "origin": None}])
async def test_what_thoth_common_refuses_is_refused_for_good(wrong: dict[str, object]) -> None:
    """An unknown integration, or Kebechet without an origin, will be no better at the next attempt."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, FIELDS | wrong, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert failure.attempts == 1

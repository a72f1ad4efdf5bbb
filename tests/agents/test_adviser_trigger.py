# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import Mode, PermanentError
from tests.support.agent_harness import AgentHarness
from tests.support.examples import ADVICE, METADATA, Example

BASE_NAME = "thoth.adviser-trigger"
EXAMPLE = Example(
    BASE_NAME,
    required={"recommendation_type": "latest"},
    optional=ADVICE
    | {
        "dev": True,
        "count": 2,
        "limit": 1000,
        "limit_latest_versions": 5,
        "re_run_adviser_id": "adviser-211224120000-0123456789abcdef",
        "source_type": "KEBECHET",
    },
    workflows={Mode.BACKEND: ["adviser"]},
)


async def test_the_adviser_gets_every_field_that_its_workflow_has_a_parameter_for() -> None:
    """Only limit_latest_versions has none."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    (parameters,) = harness.parameters("adviser")
    assert json.loads(parameters.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "re_run_adviser_id": "adviser-211224120000-0123456789abcdef",
        "source_type": "KEBECHET",
        "kebechet_metadata": METADATA,
        "thoth.adviser": {
            "justification": [{"message": "flask was released", "type": "INFO"}],
            "stack_info": [{"message": "all is well", "type": "INFO"}],
        },
    }
    assert json.loads(parameters.pop("THOTH_ADVISER_DEPLOYMENT_PACKAGE_UPDATE"))["package_name"] == "flask"
    assert parameters == {
        "THOTH_ADVISER_RECOMMENDATION_TYPE": "latest",
        "THOTH_ADVISER_DEV": "1",
        "THOTH_LOG_ADVISER": "DEBUG",
        "THOTH_AUTHENTICATED_ADVISE": "1",
        "THOTH_ADVISER_PREDICTOR_CONFIG": "{}",
        "THOTH_ADVISER_LIMIT": "1000",
        "THOTH_ADVISER_COUNT": "2",
    }


async def test_absent_fields_get_the_defaults_of_the_template() -> None:
    """The defaults of count and limit are in the template, not in the record."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"recommendation_type": "stable"}) is None

    (parameters,) = harness.parameters("adviser")
    flags = ("THOTH_ADVISER_DEV", "THOTH_LOG_ADVISER", "THOTH_AUTHENTICATED_ADVISE")
    assert [parameters[name] for name in flags] == ["0", "INFO", "0"]
    assert not {"THOTH_ADVISER_LIMIT", "THOTH_ADVISER_COUNT", "THOTH_ADVISER_DEPLOYMENT_PACKAGE_UPDATE"} & set(
        parameters
    )


@pytest.mark.parametrize("job_id", ["adviser-220102030405-00000000deadbeef", None, ""])
async def test_the_job_id_of_the_message_is_the_id_of_the_workflow(job_id: str | None) -> None:
    """The user polls for the result by that id; without one the id is derived."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**EXAMPLE.fields, "job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == (job_id or workflow.id)
    assert workflow.id.startswith("adviser-")


@pytest.mark.parametrize("wrong", [{"source_type": "TELEPHONE"}, {"source_type": "KEBECHET", "origin": None}])
async def test_a_message_that_thoth_common_refuses_fails_permanently(wrong: dict[str, object]) -> None:
    """An unknown source, or Kebechet without an origin, would be refused at every attempt."""
    failure = await AgentHarness().handle(BASE_NAME, EXAMPLE.fields | wrong, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert failure.attempts == 1

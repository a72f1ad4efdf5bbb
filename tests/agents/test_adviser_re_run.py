# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import Mode
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.investigator.adviser-re-run"
FIRST_RUN = "adviser-211224120000-0123456789abcdef"
EXAMPLE = Example(
    BASE_NAME,
    required={"re_run_adviser_id": FIRST_RUN, "recommendation_type": "stable"},
    optional={
        "origin": "https://github.com/thoth-station/cli-examples",
        "source_type": "KEBECHET",
        "github_event_type": "thoth_thamos_advise",
        "github_check_run_id": 9,
        "github_installation_id": 10,
        "github_base_repo_url": "https://github.com/thoth-station/cli-examples",
    },
    workflows={Mode.BACKEND: ["adviser"]},
)


async def test_the_adviser_runs_again_with_the_origin_and_source_of_the_first_run() -> None:
    """No workflow parameter takes the fields about a GitHub event."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    (parameters,) = harness.parameters("adviser")
    assert json.loads(parameters.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "re_run_adviser_id": FIRST_RUN,
        "source_type": "KEBECHET",
        "kebechet_metadata": None,
        "thoth.adviser": {"justification": None, "stack_info": None},
    }
    assert parameters == {
        "THOTH_ADVISER_RECOMMENDATION_TYPE": "stable",
        "THOTH_ADVISER_DEV": "0",
        "THOTH_LOG_ADVISER": "INFO",
        "THOTH_AUTHENTICATED_ADVISE": "0",
        "THOTH_ADVISER_PREDICTOR_CONFIG": "{}",
    }


@pytest.mark.parametrize("newer", [{}, {"re_run_adviser_id": None}])
async def test_the_older_field_name_adviser_id_is_understood(newer: dict[str, object]) -> None:
    """Version v1 of the message uses it."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"adviser_id": FIRST_RUN, "recommendation_type": "stable", **newer}) is None

    (parameters,) = harness.parameters("adviser")
    assert json.loads(parameters["THOTH_ADVISER_METADATA"])["re_run_adviser_id"] == FIRST_RUN


async def test_the_new_run_has_an_id_of_its_own() -> None:
    """A workflow of the first run's id exists, so a second one would be refused."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.workflows[0].id != FIRST_RUN

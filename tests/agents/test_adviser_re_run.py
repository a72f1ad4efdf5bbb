# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from tests.agents.examples import EXAMPLES
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.investigator.adviser-re-run"
FIRST = "adviser-211224120000-0123456789abcdef"


async def test_the_adviser_runs_again_for_whoever_asked_first() -> None:
    """The new run knows which advice it replaces; what older producers say about a GitHub event has no taker."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLES[BASE_NAME].fields) is None

    (given,) = harness.parameters("adviser")
    assert json.loads(given.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "re_run_adviser_id": FIRST,
        "source_type": "KEBECHET",
        "kebechet_metadata": None,
        "thoth.adviser": {"justification": None, "stack_info": None},
    }
    assert given == {
        "THOTH_ADVISER_RECOMMENDATION_TYPE": "stable",
        "THOTH_ADVISER_DEV": "0",
        "THOTH_LOG_ADVISER": "INFO",
        "THOTH_AUTHENTICATED_ADVISE": "0",
        "THOTH_ADVISER_PREDICTOR_CONFIG": "{}",
    }


@pytest.mark.parametrize("newer", [{}, {"re_run_adviser_id": None}])
async def test_older_producers_name_the_advice_adviser_id(newer: dict[str, object]) -> None:
    """Under both names the advice is the same."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"adviser_id": FIRST, "recommendation_type": "stable", **newer}) is None

    (given,) = harness.parameters("adviser")
    assert json.loads(given["THOTH_ADVISER_METADATA"])["re_run_adviser_id"] == FIRST


async def test_the_run_has_an_id_of_its_own() -> None:
    """The advice that it replaces exists under the old id: a second one of that name would be refused."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLES[BASE_NAME].fields) is None

    assert harness.workflows[0].id != FIRST

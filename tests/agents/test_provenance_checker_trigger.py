# SPDX-License-Identifier: GPL-3.0-or-later
import json

from tests.agents.examples import EXAMPLES, METADATA
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.provenance-checker-trigger"


async def test_the_checker_gets_everything_that_the_message_says() -> None:
    """Which indexes are allowed, and what the answer has to carry back."""
    harness, allowed = AgentHarness(), [PYPI, "https://example.com/simple"]

    assert await harness.handle(BASE_NAME, {**EXAMPLES[BASE_NAME].fields, "whitelisted_sources": allowed}) is None

    (given,) = harness.parameters("provenance-checker")
    assert json.loads(given.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "kebechet_metadata": METADATA,
        "thoth.adviser": {
            "justification": [{"message": "flask was released", "type": "INFO"}],
            "stack_info": [{"message": "all is well", "type": "INFO"}],
        },
    }
    assert given == {
        "THOTH_AUTHENTICATED_PROVENANCE_CHECK": "1",
        "THOTH_WHITELISTED_SOURCES": ",".join(allowed),
        "THOTH_LOG_ADVISER": "DEBUG",
    }


async def test_the_document_has_the_id_of_the_message() -> None:
    """The user asks for the result by the id that the message brings."""
    job_id, harness = "provenance-checker-220102030405-00000000deadbeef", AgentHarness()

    assert await harness.handle(BASE_NAME, {"job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == job_id
    assert workflow.parameters["THOTH_DOCUMENT_ID"] == job_id

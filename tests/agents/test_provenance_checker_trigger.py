# SPDX-License-Identifier: GPL-3.0-or-later
import json

from investigator.agent import Mode
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import ADVICE, METADATA, Example

BASE_NAME = "thoth.provenance-checker-trigger"
EXAMPLE = Example(
    BASE_NAME, optional=ADVICE | {"whitelisted_sources": [PYPI]}, workflows={Mode.BACKEND: ["provenance-checker"]}
)


async def test_the_checker_gets_every_field_of_the_message() -> None:
    """The allowed indexes are a parameter; the rest is metadata that the result repeats."""
    harness, allowed = AgentHarness(), [PYPI, "https://example.com/simple"]

    assert await harness.handle(BASE_NAME, {**EXAMPLE.fields, "whitelisted_sources": allowed}) is None

    (parameters,) = harness.parameters("provenance-checker")
    assert json.loads(parameters.pop("THOTH_ADVISER_METADATA")) == {
        "origin": "https://github.com/thoth-station/cli-examples",
        "kebechet_metadata": METADATA,
        "thoth.adviser": {
            "justification": [{"message": "flask was released", "type": "INFO"}],
            "stack_info": [{"message": "all is well", "type": "INFO"}],
        },
    }
    assert parameters == {
        "THOTH_AUTHENTICATED_PROVENANCE_CHECK": "1",
        "THOTH_WHITELISTED_SOURCES": ",".join(allowed),
        "THOTH_LOG_ADVISER": "DEBUG",
    }


async def test_workflow_and_document_have_the_job_id_of_the_message() -> None:
    """The user polls for the result by that id."""
    job_id, harness = "provenance-checker-220102030405-00000000deadbeef", AgentHarness()

    assert await harness.handle(BASE_NAME, {"job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == job_id
    assert workflow.parameters["THOTH_DOCUMENT_ID"] == job_id

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.repo-init"
URL = "https://github.com/thoth-station/cli-examples"
EXAMPLE = Example(
    BASE_NAME,
    required={"project_url": URL},
    optional={"job_id": None},
    workflows={Mode.BACKEND: ["thoth-repo-init"]},
)


@pytest.mark.parametrize("job_id", ["thoth-repo-init-220102030405-00000000deadbeef", None])
async def test_the_job_id_of_the_message_is_the_id_of_the_workflow(job_id: str | None) -> None:
    """Without a job id the id is derived."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"project_url": URL, "job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == (job_id or workflow.id)
    assert workflow.id.startswith("thoth-repo-init-")
    assert harness.parameters("thoth-repo-init") == [{"PROJECT_URL": URL}]

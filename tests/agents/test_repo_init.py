# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.repo-init"
URL = "https://github.com/thoth-station/cli-examples"


@pytest.mark.parametrize("job_id", ["thoth-repo-init-220102030405-00000000deadbeef", None])
async def test_the_repository_is_set_up_under_the_id_of_the_message_if_it_brings_one(job_id: str | None) -> None:
    """Where it brings none, the id is derived."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"project_url": URL, "job_id": job_id}) is None

    (workflow,) = harness.workflows
    assert workflow.id == (job_id or workflow.id)
    assert workflow.id.startswith("thoth-repo-init-")
    assert harness.parameters("thoth-repo-init") == [{"PROJECT_URL": URL}]

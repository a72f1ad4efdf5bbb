# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.update-provides-source-distro"


@pytest.mark.parametrize("value", [True, False])
async def test_the_flag_takes_the_value_of_the_message(*, value: bool) -> None:
    """A source distribution may be found missing, and may turn up again."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**RELEASE, "value": value}) is None

    assert harness.graph.changes == [("provides source distro", "flask", "2.0.2", PYPI, value)]
    assert harness.workflows == []

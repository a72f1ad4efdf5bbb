# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.agent import Mode
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import RELEASE, Example

BASE_NAME = "thoth.update-provides-source-distro"
EXAMPLE = Example(BASE_NAME, required=RELEASE | {"value": False}, changes_graph_in={Mode.MIDDLETIER})


@pytest.mark.parametrize("value", [True, False])
async def test_the_flag_is_set_to_the_value_of_the_message(*, value: bool) -> None:
    """A source distribution may be missing, and may be published later."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**RELEASE, "value": value}) is None

    assert harness.graph.changes == [("provides source distro", "flask", "2.0.2", PYPI, value)]
    assert harness.workflows == []

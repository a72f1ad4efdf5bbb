# SPDX-License-Identifier: GPL-3.0-or-later
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.package-update.missing-package"
FLASK = {"package_name": "flask", "index_url": PYPI}


async def test_the_whole_package_is_flagged_and_kebechets_administrator_is_told() -> None:
    """Without a version, since all of them are gone."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.graph.changes == [("package missing", "flask", PYPI)]
    assert harness.parameters("kebechet-administrator") == [
        {"THOTH_PACKAGE_NAME": "flask", "THOTH_PACKAGE_INDEX": PYPI, "THOTH_MESSAGE_TYPE": BASE_NAME}
    ]


async def test_nobody_is_told_before_the_graph_knows() -> None:
    """What the administrator starts would otherwise still be advised to use the package."""
    harness = AgentHarness(FaultInjector(fail_at=1))

    assert await harness.handle(BASE_NAME, FLASK) is not None

    assert harness.workflows == []


async def test_the_flag_is_set_when_the_administrator_is_switched_off() -> None:
    """The switch is about the workflow only."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.graph.changes == [("package missing", "flask", PYPI)]
    assert harness.workflows == []

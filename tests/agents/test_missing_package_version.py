# SPDX-License-Identifier: GPL-3.0-or-later
from tests.agents.examples import RELEASE
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.package-update.missing-package-version"


async def test_the_version_is_flagged_and_kebechets_administrator_is_told() -> None:
    """Just this version, on this index."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.graph.changes == [("version missing", "flask", "2.0.2", PYPI)]
    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_nobody_is_told_before_the_graph_knows() -> None:
    """What the administrator starts would otherwise still be advised to use the version."""
    harness = AgentHarness(FaultInjector(fail_at=1))

    assert await harness.handle(BASE_NAME, RELEASE) is not None

    assert harness.workflows == []


async def test_the_flag_is_set_when_the_administrator_is_switched_off() -> None:
    """The switch is about the workflow only."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.graph.changes == [("version missing", "flask", "2.0.2", PYPI)]
    assert harness.workflows == []

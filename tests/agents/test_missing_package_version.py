# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import RELEASE, Example

BASE_NAME = "thoth.package-update.missing-package-version"
EXAMPLE = Example(
    BASE_NAME,
    required=RELEASE,
    workflows={Mode.BACKEND: ["kebechet-administrator"]},
    changes_graph_in={Mode.BACKEND},
)
FLAGGED = [("version missing", "flask", "2.0.2", PYPI)]


async def test_the_version_is_flagged_and_kebechets_administrator_is_scheduled() -> None:
    """Only this version, on this index."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.graph.changes == FLAGGED
    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_nothing_is_scheduled_before_the_version_is_flagged() -> None:
    """Otherwise the advice that the administrator starts could still recommend the version."""
    harness = AgentHarness(FaultInjector(fail_at=1))

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is not None

    assert harness.workflows == []


async def test_the_version_is_flagged_when_the_administrator_is_disabled() -> None:
    """The setting disables the workflow only."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.graph.changes == FLAGGED
    assert harness.workflows == []

# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.package-update.missing-package"
# No other example has this package: the end-to-end tests handle all examples with one graph.
EXAMPLE = Example(
    BASE_NAME,
    required={"package_name": "atomicwrites", "index_url": PYPI},
    workflows={Mode.BACKEND: ["kebechet-administrator"]},
    changes_graph_in={Mode.BACKEND},
)
FLAGGED = [("package missing", "atomicwrites", PYPI)]


async def test_the_package_is_flagged_and_kebechets_administrator_is_scheduled() -> None:
    """The administrator gets no version, as all of them are missing."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.graph.changes == FLAGGED
    assert harness.parameters("kebechet-administrator") == [
        {"THOTH_PACKAGE_NAME": "atomicwrites", "THOTH_PACKAGE_INDEX": PYPI, "THOTH_MESSAGE_TYPE": BASE_NAME}
    ]


async def test_nothing_is_scheduled_before_the_package_is_flagged() -> None:
    """Otherwise the advice that the administrator starts could still recommend the package."""
    harness = AgentHarness(FaultInjector(fail_at=1))

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is not None

    assert harness.workflows == []


async def test_the_package_is_flagged_when_the_administrator_is_disabled() -> None:
    """The setting disables the workflow only."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.graph.changes == FLAGGED
    assert harness.workflows == []

# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_harness import PYPI, AgentHarness
from tests.support.examples import RELEASE, Example

BASE_NAME = "thoth.cve-update.cve-provided"
EXAMPLE = Example(BASE_NAME, required=RELEASE, workflows={Mode.BACKEND: ["kebechet-administrator"]})


async def test_kebechets_administrator_gets_the_vulnerable_version() -> None:
    """It finds the projects that use the version."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_nothing_is_called_when_the_administrator_is_disabled() -> None:
    """The message is consumed, but has no effect."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.faults.calls == 0

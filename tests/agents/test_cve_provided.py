# SPDX-License-Identifier: GPL-3.0-or-later
from tests.agents.examples import RELEASE
from tests.support.agent_harness import PYPI, AgentHarness

BASE_NAME = "thoth.cve-update.cve-provided"


async def test_kebechets_administrator_is_told_about_the_vulnerable_version() -> None:
    """It finds the projects that use it."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.parameters("kebechet-administrator") == [
        {
            "THOTH_PACKAGE_NAME": "flask",
            "THOTH_PACKAGE_VERSION": "2.0.2",
            "THOTH_PACKAGE_INDEX": PYPI,
            "THOTH_MESSAGE_TYPE": BASE_NAME,
        }
    ]


async def test_nobody_is_told_when_the_administrator_is_switched_off() -> None:
    """The message is consumed, but that is all."""
    harness = AgentHarness(THOTH_INVESTIGATOR_KEBECHET_ADMINISTRATOR="0")

    assert await harness.handle(BASE_NAME, RELEASE) is None

    assert harness.faults.calls == 0

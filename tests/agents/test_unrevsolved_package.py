# SPDX-License-Identifier: GPL-3.0-or-later
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.investigator.unrevsolved-package"
FLASK = {"package_name": "flask", "package_version": "2.0.2"}


async def test_the_reverse_solver_is_really_scheduled() -> None:
    """The message asks for one reverse solver run, and gets it."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.parameters("revsolver") == [
        {
            "THOTH_REVSOLVER_PACKAGE_NAME": "flask",
            "THOTH_REVSOLVER_PACKAGE_VERSION": "2.0.2",
            "THOTH_LOG_REVSOLVER": "INFO",
        }
    ]


async def test_nothing_is_scheduled_when_reverse_solvers_are_switched_off() -> None:
    """The message is consumed, but that is all."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_REVSOLVER="0")

    assert await harness.handle(BASE_NAME, FLASK) is None

    assert harness.faults.calls == 0

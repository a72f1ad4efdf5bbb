# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

BASE_NAME = "thoth.investigator.unrevsolved-package"
EXAMPLE = Example(
    BASE_NAME,
    required={"package_name": "flask", "package_version": "2.0.2"},
    workflows={Mode.MIDDLETIER: ["revsolver"]},
)


async def test_the_reverse_solver_gets_the_version() -> None:
    """One run, which finds the packages that depend on the version."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.parameters("revsolver") == [
        {
            "THOTH_REVSOLVER_PACKAGE_NAME": "flask",
            "THOTH_REVSOLVER_PACKAGE_VERSION": "2.0.2",
            "THOTH_LOG_REVSOLVER": "INFO",
        }
    ]


async def test_nothing_is_called_when_the_reverse_solver_is_disabled() -> None:
    """The message is consumed, but has no effect."""
    harness = AgentHarness(THOTH_INVESTIGATOR_SCHEDULE_REVSOLVER="0")

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.faults.calls == 0

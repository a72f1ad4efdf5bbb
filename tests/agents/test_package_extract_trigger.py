# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import MESSAGE_TYPES
from investigator.delivery.errors import PermanentError
from tests.agents.examples import EXAMPLES, PASSWORD
from tests.support.agent_fakes import MIDDLETIER
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.package-extract-trigger"
FIELDS = EXAMPLES[BASE_NAME].fields
IMAGE = "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4"


async def test_the_image_is_analysed_as_the_message_says() -> None:
    """The analysis gets at the image with the credentials, and its document knows where the request came from."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FIELDS) is None

    (given,) = harness.parameters("package-extract")
    assert json.loads(given.pop("THOTH_PACKAGE_EXTRACT_METADATA")) == {
        "origin": "https://github.com/thoth-station/solver",
        "environment_type": "runtime",
        "is_external": False,
    }
    assert given == {
        "THOTH_ANALYZED_IMAGE": IMAGE,
        "THOTH_ANALYZER_NO_TLS_VERIFY": "1",
        "THOTH_LOG_PACKAGE_EXTRACT": "DEBUG",
        "THOTH_REGISTRY_CREDENTIALS": f"fridolin:{PASSWORD}",
        "THOTH_SYNC_PACKAGE_EXTRACT": "1",
    }


async def test_the_workflow_runs_in_the_middletier_though_the_backend_schedules_it() -> None:
    """The pending limit that counts is the middletier's."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, FIELDS) is None

    assert harness.workflows[0].namespace == MIDDLETIER


async def test_without_a_password_no_credentials_are_handed_on() -> None:
    """A public image needs none."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**FIELDS, "registry_password": None}) is None

    assert "THOTH_REGISTRY_CREDENTIALS" not in harness.parameters("package-extract")[0]


@pytest.mark.parametrize("environment_type", ["", "production"])
async def test_an_unknown_type_of_environment_is_refused_for_good(environment_type: str) -> None:
    """thoth-common knows two of them, and no attempt makes a third."""
    failure = await AgentHarness().handle(BASE_NAME, {**FIELDS, "environment_type": environment_type}, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert failure.attempts == 1


def test_the_password_does_not_show_in_the_record() -> None:
    """Records find their way into logs and pages."""
    value = json.dumps({"component_name": "user-api", "service_version": "1", **FIELDS}).encode()

    assert PASSWORD not in repr(MESSAGE_TYPES[BASE_NAME].parse(value))

# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import Mode, PermanentError
from investigator.message_types import load_message_types
from tests.support.agent_fakes import MIDDLETIER
from tests.support.agent_harness import AgentHarness
from tests.support.examples import PASSWORD, Example

BASE_NAME = "thoth.package-extract-trigger"
IMAGE = "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4"
EXAMPLE = Example(
    BASE_NAME,
    required={"image": IMAGE, "environment_type": "runtime"},
    optional={
        "is_external": False,
        "verify_tls": False,
        "debug": True,
        "job_id": None,
        "origin": "https://github.com/thoth-station/solver",
        "registry_user": "fridolin",
        "registry_password": PASSWORD,
        "graph_sync": True,
    },
    workflows={Mode.BACKEND: ["package-extract"]},
)


async def test_the_workflow_gets_every_field_of_the_message() -> None:
    """The credentials are for the registry of the image; the metadata is stored in the result."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    (parameters,) = harness.parameters("package-extract")
    assert json.loads(parameters.pop("THOTH_PACKAGE_EXTRACT_METADATA")) == {
        "origin": "https://github.com/thoth-station/solver",
        "environment_type": "runtime",
        "is_external": False,
    }
    assert parameters == {
        "THOTH_ANALYZED_IMAGE": IMAGE,
        "THOTH_ANALYZER_NO_TLS_VERIFY": "1",
        "THOTH_LOG_PACKAGE_EXTRACT": "DEBUG",
        "THOTH_REGISTRY_CREDENTIALS": f"fridolin:{PASSWORD}",
        "THOTH_SYNC_PACKAGE_EXTRACT": "1",
    }


async def test_backend_mode_schedules_the_workflow_in_the_middletier_namespace() -> None:
    """The pending limit of the middletier namespace therefore applies."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, EXAMPLE.fields) is None

    assert harness.workflows[0].namespace == MIDDLETIER


async def test_without_a_password_the_workflow_gets_no_credentials() -> None:
    """A public image needs none."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {**EXAMPLE.fields, "registry_password": None}) is None

    assert "THOTH_REGISTRY_CREDENTIALS" not in harness.parameters("package-extract")[0]


@pytest.mark.parametrize("environment_type", ["", "production"])
async def test_an_unknown_environment_type_fails_permanently(environment_type: str) -> None:
    """thoth-common accepts runtime and buildtime only."""
    failure = await AgentHarness().handle(
        BASE_NAME, {**EXAMPLE.fields, "environment_type": environment_type}, attempts=5
    )

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert failure.attempts == 1


def test_the_representation_of_the_record_does_not_contain_the_password() -> None:
    """Records are written to logs and shown on pages."""
    value = json.dumps({"component_name": "user-api", "service_version": "1", **EXAMPLE.fields}).encode()

    assert PASSWORD not in repr(load_message_types()[BASE_NAME].parse(value))

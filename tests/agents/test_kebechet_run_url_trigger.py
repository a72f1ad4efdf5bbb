# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent import Mode, PermanentError
from investigator.agent.message import MalformedMessageError
from tests.support.agent_harness import AgentHarness
from tests.support.examples import METADATA, Example

BASE_NAME = "thoth.kebechet-run-url-trigger"
URL = "https://github.com/thoth-station/cli-examples"
EMPTY_METADATA = dict.fromkeys(METADATA)
EXAMPLE = Example(
    BASE_NAME,
    required={"url": URL},
    optional={"service_name": "github", "installation_id": "7", "job_id": None, "metadata": METADATA},
    workflows={Mode.BACKEND: ["kebechet-run-url"]},
)


async def metadata_of(fields: dict[str, object]) -> object:
    """Handle a message, and return the metadata that its workflow gets."""
    harness = AgentHarness()
    assert await harness.handle(BASE_NAME, {"url": URL, **fields}) is None
    (parameters,) = harness.parameters("kebechet-run-url")
    return json.loads(parameters["KEBECHET_METADATA"])


async def test_kebechet_gets_the_repository_its_service_and_the_metadata() -> None:
    """The workflow has no parameter for the installation id."""
    harness = AgentHarness()

    fields = {"url": URL, "service_name": "gitlab", "installation_id": "7", "metadata": METADATA}
    assert await harness.handle(BASE_NAME, fields) is None

    (parameters,) = harness.parameters("kebechet-run-url")
    assert json.loads(parameters.pop("KEBECHET_METADATA")) == METADATA
    assert parameters == {"KEBECHET_REPO_URL": URL, "KEBECHET_SERVICE_NAME": "gitlab"}


@pytest.mark.parametrize("service_name", [None, ""])
async def test_the_default_service_is_github(service_name: str | None) -> None:
    """thoth-common has the same default, but does not accept null."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"url": URL, "service_name": service_name}) is None

    assert harness.parameters("kebechet-run-url")[0]["KEBECHET_SERVICE_NAME"] == "github"


@pytest.mark.parametrize("fields", [{}, {"url": None}, {"url": ""}])
async def test_a_message_without_a_url_is_refused_by_field_name(fields: dict[str, object]) -> None:
    """It fails permanently, and the cluster is not called."""
    harness = AgentHarness()

    failure = await harness.handle(BASE_NAME, fields, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert str(failure.error).startswith("field 'url': ")
    assert (failure.attempts, harness.faults.calls) == (1, 0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"metadata": METADATA}, METADATA),
        ({"kebechet_metadata": METADATA}, METADATA),
        ({"metadata": None, "kebechet_metadata": METADATA}, METADATA),
        ({"metadata": EMPTY_METADATA}, EMPTY_METADATA),
        ({"metadata": EMPTY_METADATA, "kebechet_metadata": METADATA}, EMPTY_METADATA),
        ({"metadata": {"package_name": "flask", "colour": "blue"}}, {"package_name": "flask"}),
        ({"version": "v1"}, None),
        ({"metadata": None}, None),
    ],
)
async def test_metadata_is_read_from_either_of_its_field_names(fields: dict[str, object], expected: object) -> None:
    """The current name wins if both are set; version v1 has neither."""
    assert await metadata_of(fields) == expected


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("metadata", {"message_justification": "5"}),
        ("metadata", {"package_name": 7}),
        ("kebechet_metadata", {"message_justification": 5.5}),
        ("metadata", [METADATA]),
    ],
)
async def test_metadata_of_a_wrong_type_is_refused_by_field_name(name: str, metadata: object) -> None:
    """Under the older field name the error names the current one."""
    failure = await AgentHarness().handle(BASE_NAME, {"url": URL, name: metadata})

    assert failure is not None
    assert isinstance(failure.error, MalformedMessageError)
    assert str(failure.error.field).startswith("metadata")

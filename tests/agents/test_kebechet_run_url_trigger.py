# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent.message import MalformedMessageError
from investigator.delivery.errors import PermanentError
from tests.agents.examples import METADATA
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.kebechet-run-url-trigger"
URL = "https://github.com/thoth-station/cli-examples"
NOTHING_NEW = dict.fromkeys(METADATA)


async def metadata_of(fields: dict[str, object]) -> object:
    """Handle a message, and give the metadata that its workflow gets."""
    harness = AgentHarness()
    assert await harness.handle(BASE_NAME, {"url": URL, **fields}) is None
    (given,) = harness.parameters("kebechet-run-url")
    return json.loads(given["KEBECHET_METADATA"])


async def test_kebechet_runs_on_the_repository_with_the_metadata_of_the_message() -> None:
    """It learns where, on which service, and what is new."""
    harness = AgentHarness()

    fields = {"url": URL, "service_name": "gitlab", "installation_id": "7", "metadata": METADATA}
    assert await harness.handle(BASE_NAME, fields) is None

    (given,) = harness.parameters("kebechet-run-url")
    assert json.loads(given.pop("KEBECHET_METADATA")) == METADATA
    assert given == {"KEBECHET_REPO_URL": URL, "KEBECHET_SERVICE_NAME": "gitlab"}


@pytest.mark.parametrize("service_name", [None, ""])
async def test_a_repository_on_no_named_service_is_on_github(service_name: str | None) -> None:
    """As thoth-common has it, which can't be told null."""
    harness = AgentHarness()

    assert await harness.handle(BASE_NAME, {"url": URL, "service_name": service_name}) is None

    assert harness.parameters("kebechet-run-url")[0]["KEBECHET_SERVICE_NAME"] == "github"


@pytest.mark.parametrize("fields", [{}, {"url": None}, {"url": ""}])
async def test_without_an_address_the_message_is_refused_by_name(fields: dict[str, object]) -> None:
    """There is nothing to run on, today and at any later attempt; the cluster is not asked."""
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
        ({"metadata": NOTHING_NEW}, NOTHING_NEW),
        ({"metadata": NOTHING_NEW, "kebechet_metadata": METADATA}, NOTHING_NEW),
        ({"metadata": {"package_name": "flask", "colour": "blue"}}, {"package_name": "flask"}),
        ({"version": "v1"}, None),
        ({"metadata": None}, None),
    ],
)
async def test_metadata_is_found_under_both_of_its_names(fields: dict[str, object], expected: object) -> None:
    """Today's name counts where both are given; the first version of the message had none."""
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
async def test_metadata_of_another_shape_is_refused_by_name(name: str, metadata: object) -> None:
    """Kebechet could make nothing of it."""
    failure = await AgentHarness().handle(BASE_NAME, {"url": URL, name: metadata})

    assert failure is not None
    assert isinstance(failure.error, MalformedMessageError)
    assert str(failure.error.field).startswith("metadata")

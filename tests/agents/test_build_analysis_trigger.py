# SPDX-License-Identifier: GPL-3.0-or-later
import json
import re
from collections.abc import Mapping

import pytest

from investigator.delivery.errors import PermanentError
from tests.agents.examples import EXAMPLES, PASSWORD
from tests.support.agent_harness import AgentHarness

BASE_NAME = "thoth.build-analysis-trigger"
FIELDS = EXAMPLES[BASE_NAME].fields
BASE_ID, OUTPUT_ID, PARSER_ID = (
    "THOTH_BUILD_ANALYSIS_BASE_IMAGE_ANALYSIS_ID",
    "THOTH_BUILD_ANALYSIS_OUTPUT_IMAGE_ANALYSIS_ID",
    "THOTH_BUILD_ANALYSIS_BUILDLOG_PARSER_ID",
)


async def parameters(fields: Mapping[str, object], harness: AgentHarness | None = None) -> dict[str, str]:
    """Handle a message, and give all that its workflow gets."""
    harness = harness or AgentHarness()
    assert await harness.handle(BASE_NAME, fields) is None
    return dict(harness.workflows[-1].parameters)


async def test_the_build_is_analysed_as_the_message_says() -> None:
    """Both images with their credentials, the log, and where the request came from."""
    given = await parameters(FIELDS)

    metadata = json.loads(given.pop("THOTH_BUILD_ANALYSIS_METADATA"))
    base, output = given.pop(BASE_ID), given.pop(OUTPUT_ID)
    job_id = given.pop("THOTH_BUILD_ANALYSIS_JOB_ID")
    assert metadata == {
        "origin": "https://github.com/thoth-station/solver",
        "environment_type": "runtime",
        "base_image_analysis_id": base,
        "output_image_analysis_id": output,
        "buildlog_document_id": "buildlog-211224120000-0123456789abcdef",
        "build_analysis_job_id": job_id,
        "is_external": True,
    }
    assert given.pop(PARSER_ID).startswith("buildlog-parser-")
    assert given == {
        "THOTH_BUILD_ANALYSIS_BASE_IMAGE": "registry.access.redhat.com/ubi8/python-38:1-71",
        "THOTH_BUILD_ANALYSIS_BASE_IMAGE_DOCUMENT_ID": base,
        "THOTH_BUILD_ANALYSIS_BASE_REGISTRY_CREDENTIALS": f"fridolin:{PASSWORD}",
        "THOTH_BUILD_ANALYSIS_BASE_REGISTRY_NO_TLS_VERIFY": "1",
        "THOTH_BUILD_ANALYSIS_OUTPUT_IMAGE": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4",
        "THOTH_BUILD_ANALYSIS_OUTPUT_IMAGE_DOCUMENT_ID": output,
        "THOTH_BUILD_ANALYSIS_OUTPUT_REGISTRY_CREDENTIALS": f"fridolin:{PASSWORD}",
        "THOTH_BUILD_ANALYSIS_OUTPUT_REGISTRY_NO_TLS_VERIFY": "1",
        "THOTH_BUILD_ANALYSIS_BUILDLOG_DOCUMENT_ID": "buildlog-211224120000-0123456789abcdef",
        "THOTH_BUILD_ANALYSIS_ENVIRONMENT_TYPE": "runtime",
        "THOTH_BUILD_ANALYSIS_ORIGIN": "https://github.com/thoth-station/solver",
        "THOTH_BUILD_ANALYSIS_LOG": "DEBUG",
    }


async def test_the_ids_of_the_analyses_are_the_same_at_each_repetition_and_differ_from_each_other() -> None:
    """A repeated message must not start analyses whose documents nobody will ever look for."""
    first = await parameters(FIELDS)
    again = await parameters(FIELDS)

    assert first == again
    assert first[BASE_ID] != first[OUTPUT_ID]
    for name in (BASE_ID, OUTPUT_ID):
        assert re.fullmatch(r"package-extract-\d{12}-[0-9a-f]{16}", first[name])
    assert re.fullmatch(r"buildlog-parser-\d{12}-[0-9a-f]{16}", first[PARSER_ID])


async def test_ids_that_the_message_brings_are_kept() -> None:
    """The user was told them."""
    ids = {
        "base_image_analysis_id": "package-extract-220101000000-1",
        "output_image_analysis_id": "package-extract-220101000000-2",
        "buildlog_parser_id": "buildlog-parser-220101000000-3",
        "job_id": "build-analysis-220101000000-4",
    }

    given = await parameters(FIELDS | ids)

    assert [given[name] for name in (BASE_ID, OUTPUT_ID, PARSER_ID, "THOTH_BUILD_ANALYSIS_JOB_ID")] == [*ids.values()]


@pytest.mark.parametrize(
    ("subject", "id_parameter"),
    [
        ({"base_image": "registry.access.redhat.com/ubi8/python-38:1-71"}, BASE_ID),
        ({"output_image": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4"}, OUTPUT_ID),
        ({"buildlog_document_id": "buildlog-211224120000-0123456789abcdef"}, PARSER_ID),
    ],
)
async def test_what_the_build_has_not_gets_no_id(subject: dict[str, object], id_parameter: str) -> None:
    """Each of the three subjects may stand alone."""
    given = await parameters(subject)

    assert {BASE_ID, OUTPUT_ID, PARSER_ID} & set(given) == {id_parameter}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "Nothing to do"),
        ({"base_image": ""}, "Nothing to do"),
        ({"base_image": "ubi8", "base_registry_user": "fridolin"}, "no base registry password"),
        ({"output_image": "ubi8", "output_registry_user": "fridolin"}, "registry user provided"),
    ],
)
async def test_what_thoth_common_refuses_is_refused_for_good(fields: dict[str, object], why: str) -> None:
    """Nothing to analyse, or a user without a password, will be no better at the next attempt."""
    failure = await AgentHarness().handle(BASE_NAME, fields, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert why in str(failure.error)
    assert failure.attempts == 1

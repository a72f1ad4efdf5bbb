# SPDX-License-Identifier: GPL-3.0-or-later
import json
import re
from collections.abc import Mapping

import pytest

from investigator.agent import Mode, PermanentError
from tests.support.agent_harness import AgentHarness
from tests.support.examples import PASSWORD, REGISTRIES, Example

BASE_NAME = "thoth.build-analysis-trigger"
EXAMPLE = Example(
    BASE_NAME,
    required={"base_image": "registry.access.redhat.com/ubi8/python-38:1-71"},
    optional={
        "base_image_analysis_id": None,
        "buildlog_document_id": "buildlog-211224120000-0123456789abcdef",
        "buildlog_parser_id": None,
        "environment_type": "runtime",
        "debug": True,
        "job_id": None,
        "origin": "https://github.com/thoth-station/solver",
        "output_image": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4",
        "output_image_analysis_id": None,
        **REGISTRIES,
    },
    workflows={Mode.MIDDLETIER: ["build-analysis"]},
)
BASE_ID, OUTPUT_ID, PARSER_ID = (
    "THOTH_BUILD_ANALYSIS_BASE_IMAGE_ANALYSIS_ID",
    "THOTH_BUILD_ANALYSIS_OUTPUT_IMAGE_ANALYSIS_ID",
    "THOTH_BUILD_ANALYSIS_BUILDLOG_PARSER_ID",
)


async def parameters_for(fields: Mapping[str, object]) -> dict[str, str]:
    """Handle a message, and return all parameters of its workflow."""
    harness = AgentHarness()
    assert await harness.handle(BASE_NAME, fields) is None
    return dict(harness.workflows[-1].parameters)


async def test_the_workflow_gets_every_field_of_the_message() -> None:
    """Both images with their credentials, the build log, and the origin of the request."""
    parameters = await parameters_for(EXAMPLE.fields)

    metadata = json.loads(parameters.pop("THOTH_BUILD_ANALYSIS_METADATA"))
    base, output = parameters.pop(BASE_ID), parameters.pop(OUTPUT_ID)
    job_id = parameters.pop("THOTH_BUILD_ANALYSIS_JOB_ID")
    assert metadata == {
        "origin": "https://github.com/thoth-station/solver",
        "environment_type": "runtime",
        "base_image_analysis_id": base,
        "output_image_analysis_id": output,
        "buildlog_document_id": "buildlog-211224120000-0123456789abcdef",
        "build_analysis_job_id": job_id,
        "is_external": True,
    }
    assert parameters.pop(PARSER_ID).startswith("buildlog-parser-")
    assert parameters == {
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
    """thoth-common would make random ids, so a repeated message would store documents under ids that nothing reads."""
    first = await parameters_for(EXAMPLE.fields)
    again = await parameters_for(EXAMPLE.fields)

    assert first == again
    assert first[BASE_ID] != first[OUTPUT_ID]
    for name in (BASE_ID, OUTPUT_ID):
        assert re.fullmatch(r"package-extract-\d{12}-[0-9a-f]{16}", first[name])
    assert re.fullmatch(r"buildlog-parser-\d{12}-[0-9a-f]{16}", first[PARSER_ID])


async def test_ids_of_the_message_are_used() -> None:
    """The user polls for the results by these ids."""
    ids = {
        "base_image_analysis_id": "package-extract-220101000000-1",
        "output_image_analysis_id": "package-extract-220101000000-2",
        "buildlog_parser_id": "buildlog-parser-220101000000-3",
        "job_id": "build-analysis-220101000000-4",
    }

    parameters = await parameters_for(EXAMPLE.fields | ids)

    assert [parameters[name] for name in (BASE_ID, OUTPUT_ID, PARSER_ID, "THOTH_BUILD_ANALYSIS_JOB_ID")] == [
        *ids.values()
    ]


@pytest.mark.parametrize(
    ("subject", "id_parameter"),
    [
        ({"base_image": "registry.access.redhat.com/ubi8/python-38:1-71"}, BASE_ID),
        ({"output_image": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4"}, OUTPUT_ID),
        ({"buildlog_document_id": "buildlog-211224120000-0123456789abcdef"}, PARSER_ID),
    ],
)
async def test_only_subjects_of_the_message_get_an_id(subject: dict[str, object], id_parameter: str) -> None:
    """Base image, output image and build log are each optional."""
    parameters = await parameters_for(subject)

    assert {BASE_ID, OUTPUT_ID, PARSER_ID} & set(parameters) == {id_parameter}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Nothing to do"),
        ({"base_image": ""}, "Nothing to do"),
        ({"base_image": "ubi8", "base_registry_user": "fridolin"}, "no base registry password"),
        ({"output_image": "ubi8", "output_registry_user": "fridolin"}, "registry user provided"),
    ],
)
async def test_a_message_that_thoth_common_refuses_fails_permanently(fields: dict[str, object], reason: str) -> None:
    """A message with nothing to analyse, or with a user but no password, would be refused at every attempt."""
    failure = await AgentHarness().handle(BASE_NAME, fields, attempts=5)

    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert reason in str(failure.error)
    assert failure.attempts == 1

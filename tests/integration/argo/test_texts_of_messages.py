# SPDX-License-Identifier: GPL-3.0-or-later
"""No field of any message reaches a workflow as a tag that Argo evaluates, nor as more than a process can take."""

import itertools
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from investigator.agent.message import fields_of
from investigator.argo.client import ClusterPolicy
from investigator.argo.parameters import ParameterError, SizeLimits
from investigator.delivery.errors import PermanentError
from investigator.message_types import load_message_types
from sandbox.cluster import ClusterStandIn
from tests.integration.argo.prepared import NO_TRACE, prepare
from tests.integration.argo.scheduling import Make
from tests.support.agent_harness import AgentHarness
from tests.support.cluster_clients import cluster_client
from tests.support.examples import Example, load_examples

MESSAGE_TYPES = load_message_types()
EXAMPLES = [example for examples in load_examples().values() for example in examples]
TAGS = ("{{x}}", "{{=x}}", "{{{x}}}", "a{{workflow.name}}", '"{{x}}"', '["{{x}}"]', '{"a": "{{=x}}"}', "{", "${{X}}")
KEBECHET = "thoth.kebechet-trigger"
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def _planted() -> list[object]:
    """Return texts with tags, and values that hold them at each depth."""
    tags = list(TAGS)
    inside = [{tag: {"b": [tag, json.dumps({"c": tag})]} for tag in tags}]
    return [*tags, tags, [{"a": tags}], {"a": inside}, *({"repository": {"full_name": tag}} for tag in tags)]


@every_example
async def test_a_tag_in_any_field_is_escaped_or_refused(example: Example, make: Make, cluster: ClusterStandIn) -> None:
    """A refusal is permanent, and no created workflow has a tag."""
    harness, offset = AgentHarness(None, make(max_attempts=1)), itertools.count()
    for field, value in itertools.product(fields_of(MESSAGE_TYPES[example.base_name].record), _planted()):
        fields = {**example.fields, field: value}
        failure = await harness.handle(example.base_name, fields, offset=next(offset))
        assert failure is None or isinstance(failure.error, PermanentError)
    values = [str(value) for workflow in cluster.created for value in workflow.parameters.values()]
    assert [text for text in values if "{{" in text or text.endswith("{")] == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet='{}=x"\\,: ', max_size=20))
async def test_a_webhook_keeps_its_meaning(text: str, make: Make, cluster: ClusterStandIn) -> None:
    """Users write anything into the titles of pull requests."""
    cluster.reset()
    payload: dict[str, Any] = {"pull_request": {"title": text, text: [text]}, "nested": json.dumps([text])}
    assert await AgentHarness(None, make()).handle(KEBECHET, {"webhook_payload": payload}) is None
    value = cluster.created[0].parameters["WEBHOOK_PAYLOAD"]
    assert "{{" not in value
    assert json.loads(value) == payload


@pytest.mark.parametrize("size", [131_073, 1_000_000])
async def test_a_payload_that_no_process_can_take_is_refused_before_any_request(
    size: int, make: Make, cluster: ClusterStandIn
) -> None:
    """The error names the parameter and its size."""
    payload = {"a": "x" * (size - len('WEBHOOK_PAYLOAD={"a": ""}\0'))}
    failure = await AgentHarness(None, make()).handle(KEBECHET, {"webhook_payload": payload})
    assert failure is not None
    assert isinstance(failure.error, PermanentError)
    assert f"parameter WEBHOOK_PAYLOAD has {size} bytes" in str(failure.error)
    assert cluster.request_log.calls == []


async def test_the_largest_payload_that_a_process_can_take_is_scheduled(make: Make, cluster: ClusterStandIn) -> None:
    """Its bytes count in UTF-8 after the escapes of JSON."""
    payload = {"a": "x" * (131_072 - len('WEBHOOK_PAYLOAD={"a": ""}\0'))}
    assert await AgentHarness(None, make()).handle(KEBECHET, {"webhook_payload": payload}) is None
    assert json.loads(cluster.created[0].parameters["WEBHOOK_PAYLOAD"]) == payload


def test_a_workflow_that_its_template_makes_too_large_is_not_requested(
    cluster: ClusterStandIn, cluster_environment: dict[str, str], tmp_path: Path
) -> None:
    """The parameters alone may be within the limit of the whole; the error names the largest one."""
    del cluster_environment  # thoth-common reads it
    policy = ClusterPolicy(connections=1, sizes=SizeLimits(workflow=1000))
    with closing(cluster_client(cluster, tmp_path, policy)) as client:
        workflow = prepare(client)
        with pytest.raises(ParameterError, match=r"the workflow has .* of 1000, of which parameter THOTH_\w+ has \d+"):
            client.create(workflow, NO_TRACE)
    assert cluster.request_log.find("POST", "*/workflows") == []

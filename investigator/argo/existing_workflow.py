# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a workflow that exists is the one that a message asks for."""

from collections.abc import Mapping
from typing import Any

from investigator.argo.labels import DIGEST, KIND, MESSAGE_TYPE, OFFSET, PARTITION, PREFIX, TIMESTAMP, TOPIC
from investigator.argo.workflow_creation import CreateResult
from investigator.delivery.errors import PermanentError

Annotations = Mapping[str, object]

_REQUEST = ("entrypoint", "workflowTemplateRef", "arguments")


class AnotherOwnerError(PermanentError):
    """A workflow of that name belongs to another request; the text names its owner."""


def result_of_existing(existing: dict[str, Any], wanted: dict[str, Any], *, has_derived_name: bool) -> CreateResult:
    """Return EXISTED or DUPLICATE for a workflow that exists under the wanted name.

    It EXISTED if an earlier delivery of this message created it. It is a DUPLICATE if another message, or another
    component, has asked for the same, under an id that the producer chose. A name that is derived from the message
    contains its hash: without annotations of a worker it is proof in itself, while a producer's id is not.

    Args:
        existing: the workflow in the cluster.
        wanted: the workflow that the message asks for.
        has_derived_name: whether the name is derived from the message.

    Raises:
        AnotherOwnerError: the workflow belongs to another request.
    """
    theirs, ours = _annotations(existing), _annotations(wanted)
    if _is_of_same_message(theirs, ours) or (has_derived_name and not theirs):
        return CreateResult.EXISTED
    if not has_derived_name and _is_same_request(existing, wanted):
        return CreateResult.DUPLICATE
    raise AnotherOwnerError(
        f"the workflow {wanted['metadata']['name']} exists already, and belongs to {owner(existing)}"
    )


def owner(workflow: dict[str, Any]) -> str:
    """Return a text that names the message of a workflow, and its kind."""
    found = _annotations(workflow)
    if not found:
        return "another component: it has no annotations of investigator"
    topic, partition, offset, timestamp, kind, message_type = (
        found.get(name, "?") for name in (TOPIC, PARTITION, OFFSET, TIMESTAMP, KIND, MESSAGE_TYPE)
    )
    return f"message {topic}[{partition}]@{offset} timestamp={timestamp} message_type={message_type} kind={kind}"


def _annotations(workflow: dict[str, Any]) -> Annotations:
    annotations = workflow["metadata"].get("annotations")
    items = annotations.items() if isinstance(annotations, dict) else ()
    return {name: value for name, value in items if name.startswith(PREFIX)}


def _is_of_same_message(theirs: Annotations, ours: Annotations) -> bool:
    if not all(name in theirs and theirs[name] == ours.get(name) for name in (TOPIC, PARTITION, OFFSET)):
        return False
    # Earlier releases wrote no timestamp and no kind.
    return all(theirs.get(name, ours.get(name)) == ours.get(name) for name in (TIMESTAMP, KIND))


def _is_same_request(existing: dict[str, Any], wanted: dict[str, Any]) -> bool:
    theirs, ours = _annotations(existing), _annotations(wanted)
    if DIGEST in theirs:
        return all(theirs.get(name) == ours.get(name) for name in (KIND, DIGEST))
    # An earlier release or another component made it: only equal parameters show that it does the same.
    specs = [workflow.get("spec") for workflow in (existing, wanted)]
    first, second = ([spec.get(name) for name in _REQUEST] if isinstance(spec, dict) else None for spec in specs)
    return first is not None and first == second

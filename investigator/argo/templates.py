# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes templates and workflows out of the API's answers, and refuses those that can't be used."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

_LOGGER = logging.getLogger(__name__)

TEMPLATE_GROUP = "template.openshift.io"


class DeploymentError(Exception):
    """Something that the deployment provides is missing or can't be used; no message is the cause."""


class TemplateError(DeploymentError):
    """The template in the infra namespace is missing, ambiguous or invalid."""


class NoWorkflowError(Exception):
    """A processed template contains no workflow: by the template, or by what the message puts into it."""


def the_template(answer: dict[str, Any], namespace: str, selector: str) -> dict[str, Any]:
    """Return the only template of a list.

    Raises:
        TemplateError: there is not one template, or it lacks what every template has.
    """
    items = answer.get("items") or []
    if len(items) != 1:
        raise TemplateError(f"there are {len(items)} templates with label {selector} in namespace {namespace}, not 1")
    template = items[0]
    if not _has_name(template) or not _has_named_parameters(template):
        raise TemplateError(f"the template with label {selector} in namespace {namespace} is no valid template")
    type_meta = {"kind": "Template", "apiVersion": f"{TEMPLATE_GROUP}/v1"}  # the items of a list lack it
    return {**type_meta, **template, "parameters": template.get("parameters") or []}


def set_parameters(template: dict[str, Any], parameters: Mapping[str, object]) -> None:
    """Set parameters of a template; add those that it does not declare, and log their names but no value."""
    declared = {entry["name"]: entry for entry in template.setdefault("parameters", [])}
    for name, value in parameters.items():
        if name not in declared:
            _warn_undeclared(template["metadata"]["name"], name)
            template["parameters"].append(declared.setdefault(name, {"name": name}))
        declared[name]["value"] = "" if value is None else str(value)


def the_workflow(processed: dict[str, Any], parameters: dict[str, Any], selector: str) -> dict[str, Any]:
    """Return the workflow of a processed template, with these parameters in place of those of the same name.

    Raises:
        NoWorkflowError: the processed template contains no workflow.
    """
    objects = processed.get("objects") or [None]
    workflow = objects[0] if isinstance(objects, list) else None
    if not isinstance(workflow, dict) or not _has_name(workflow) or workflow.get("kind") != "Workflow":
        raise NoWorkflowError(f"the processed template with label {selector} has no workflow")
    try:
        _set_arguments(workflow, parameters)
    except (AttributeError, KeyError, TypeError) as error:
        raise NoWorkflowError(f"the template with label {selector} has no valid workflow: {error!r}") from error
    return workflow


def _has_name(value: object) -> bool:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _has_named_parameters(template: dict[str, Any]) -> bool:
    parameters = template.get("parameters") or []
    return isinstance(parameters, list) and all(isinstance(each, dict) and "name" in each for each in parameters)


def _set_arguments(workflow: dict[str, Any], parameters: dict[str, Any]) -> None:
    arguments = workflow.setdefault("spec", {}).setdefault("arguments", {})
    others = [entry for entry in arguments.get("parameters") or () if entry["name"] not in parameters]
    arguments["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()] + others


@cache
def _warn_undeclared(template: str, parameter: str) -> None:
    _LOGGER.warning(
        "Added a parameter that the template does not declare template=%s parameter=%s", template, parameter
    )

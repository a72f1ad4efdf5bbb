# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates and workflows are taken out of answers only if they are whole."""

from typing import Any

import pytest

from investigator.argo.templates import NoWorkflowError, TemplateError, the_template, the_workflow

METADATA = {"name": "solver"}
TEMPLATE = {"metadata": METADATA, "parameters": [{"name": "A"}]}
WORKFLOW = {"kind": "Workflow", "metadata": METADATA}


@pytest.mark.parametrize(
    "items",
    [None, [], [TEMPLATE, TEMPLATE], ["text"], [{}], [{"metadata": {}}], [{**TEMPLATE, "parameters": ["A"]}]],
)
def test_a_list_without_one_whole_template_is_refused(items: object) -> None:
    """The error names selector and namespace."""
    with pytest.raises(TemplateError, match=r"label template=solver in namespace infra"):
        the_template({"items": items}, "infra", "template=solver")


def test_a_template_without_parameters_has_an_empty_list_of_them() -> None:
    """Go writes an empty list as null."""
    template = the_template({"items": [{"metadata": METADATA, "parameters": None}]}, "infra", "template=solver")
    assert (template["kind"], template["parameters"]) == ("Template", [])


@pytest.mark.parametrize(
    "objects",
    [
        None,
        [],
        {},
        "text",
        ["text"],
        [{}],
        [{**WORKFLOW, "kind": "Pod"}],
        [{"kind": "Workflow", "metadata": {}}],
        [{**WORKFLOW, "spec": "text"}],
        [{**WORKFLOW, "spec": {"arguments": []}}],
        [{**WORKFLOW, "spec": {"arguments": {"parameters": [{}]}}}],
    ],
)
def test_an_answer_without_a_whole_workflow_is_refused(objects: Any) -> None:  # noqa: ANN401 - any JSON value
    """It is not taken for a defect of the worker, nor for an invalid message."""
    with pytest.raises(NoWorkflowError, match="template=solver"):
        the_workflow({"objects": objects}, {"B": 1}, "template=solver")


def test_parameters_replace_those_of_the_same_name() -> None:
    """The others stay."""
    old = [{"name": name, "value": "old"} for name in "AB"]
    workflow = the_workflow({"objects": [{**WORKFLOW, "spec": {"arguments": {"parameters": old}}}]}, {"B": "new"}, "")
    values = {entry["name"]: entry["value"] for entry in workflow["spec"]["arguments"]["parameters"]}
    assert values == {"A": "old", "B": "new"}

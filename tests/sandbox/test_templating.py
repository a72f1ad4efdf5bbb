# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates that the sandbox carries, and how they are processed."""

from typing import Any

import pytest

from sandbox.statuses import Refusal
from sandbox.templating import load_templates, process

# What the contract requires of each kind's template: the parameter of the id first.
REQUIRED = {
    "adviser": {"THOTH_ADVISER_JOB_ID"},
    "provenance-checker": {"THOTH_PROVENANCE_CHECKER_JOB_ID", "THOTH_DOCUMENT_ID"},
    "kebechet": {"WORKFLOW_ID", "WEBHOOK_PAYLOAD"},
    "kebechet-run-url": {"WORKFLOW_ID", "KEBECHET_REPO_URL", "KEBECHET_SERVICE_NAME", "KEBECHET_METADATA"},
    "kebechet-administrator": {
        "WORKFLOW_ID",
        "THOTH_PACKAGE_NAME",
        "THOTH_PACKAGE_INDEX",
        "THOTH_MESSAGE_TYPE",
    },
    "thoth-repo-init": {"WORKFLOW_ID", "PROJECT_URL"},
    "solver": {
        "THOTH_SOLVER_WORKFLOW_ID",
        "THOTH_SOLVER_NAME",
        "THOTH_SOLVER_PACKAGES",
        "THOTH_SOLVER_NO_TRANSITIVE",
        "THOTH_FORCE_SYNC",
        "THOTH_LOG_SOLVER",
    },
    "revsolver": {
        "THOTH_REVSOLVER_WORKFLOW_ID",
        "THOTH_REVSOLVER_PACKAGE_NAME",
        "THOTH_REVSOLVER_PACKAGE_VERSION",
        "THOTH_LOG_REVSOLVER",
    },
    "security-indicators": {
        "THOTH_SECURITY_INDICATORS_JOB_ID",
        "THOTH_SECURITY_INDICATORS_PACKAGE_NAME",
        "THOTH_SECURITY_INDICATORS_PACKAGE_VERSION",
        "THOTH_SECURITY_INDICATORS_PACKAGE_INDEX",
        "THOTH_SECURITY_INDICATORS_AGGREGATION_FUNCTION",
    },
    "package-extract": {
        "THOTH_PACKAGE_EXTRACT_JOB_ID",
        "THOTH_ANALYZED_IMAGE",
        "THOTH_PACKAGE_EXTRACT_METADATA",
        "THOTH_LOG_PACKAGE_EXTRACT",
    },
    "build-analysis": set(),
    "graph-sync": {"THOTH_SYNC_JOB_ID", "THOTH_SYNC_DOCUMENT_ID", "THOTH_FORCE_SYNC"},
}
TEMPLATES = {template["metadata"]["labels"]["template"]: template for template in load_templates()}


def template_of(text: str, **parameter: object) -> dict[str, Any]:
    """Make a template with one parameter and one object that has the given text in it."""
    return {"metadata": {"name": "t"}, "parameters": [{"name": "A", **parameter}], "objects": [{"x": [text]}]}


def result_of(text: str, **parameter: object) -> object:
    """Give what becomes of a text in an object of a processed template."""
    return process(template_of(text, **parameter))["objects"][0]["x"][0]


def test_there_is_a_template_for_each_kind() -> None:
    """Guarantee: each kind of workflow of the contract has its template, found by its label, and there are no more."""
    assert TEMPLATES.keys() == REQUIRED.keys()


@pytest.mark.parametrize("label", REQUIRED)
def test_a_template_requires_what_production_requires(label: str) -> None:
    """Guarantee: each parameter that the contract requires is required by the template."""
    required = {parameter["name"] for parameter in TEMPLATES[label]["parameters"] if parameter.get("required")}
    assert required >= REQUIRED[label]


@pytest.mark.parametrize("label", REQUIRED)
def test_a_template_makes_one_workflow_named_by_its_first_parameter(label: str) -> None:
    """Guarantee: the workflow's name is the id parameter, and all texts in it are from the parameters."""
    template = TEMPLATES[label]
    filled = {**template, "parameters": [{**parameter, "value": "given"} for parameter in template["parameters"]]}
    (workflow,) = process(filled)["objects"]
    assert workflow["kind"] == "Workflow"
    assert workflow["metadata"]["name"] == "given"
    assert "${" not in str(workflow)


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("${A}", "b", "b"),
        ("a-${A}-${A}", "b", "a-b-b"),
        ("${B}", "b", "${B}"),
        ("{{workflow.status}}", "b", "{{workflow.status}}"),
        ("${A}", "${A}", "${A}"),
        ("${{A}}", "3", 3),
        ("${{A}}", '{"a": [1]}', {"a": [1]}),
        ("${{A}}", "not json", "not json"),
        ("${A}", None, ""),
        ("${A}", '{"quoted": "\\n"}', '{"quoted": "\\n"}'),
    ],
)
def test_references_are_replaced(text: str, value: str | None, result: object) -> None:
    """Guarantee: ${A} puts text in, ${{A}} a JSON value; unknown names and Argo's own placeholders stay."""
    assert result_of(text, value=value) == result


@pytest.mark.parametrize("value", [None, ""])
def test_a_required_parameter_needs_a_value(value: str | None) -> None:
    """Guarantee: a required parameter without a value, or with an empty one, is refused with 422 and its name."""
    with pytest.raises(Refusal, match="parameter A is required") as refused:
        process(template_of("${A}", value=value, required=True))
    assert refused.value.code == 422


def test_a_value_must_be_text() -> None:
    """Guarantee: a number as a value is refused with 400, as OpenShift can't decode it."""
    with pytest.raises(Refusal) as refused:
        process(template_of("${A}", value=0))
    assert refused.value.code == 400


def test_the_template_itself_is_left_alone() -> None:
    """Guarantee: processing gives a new object; a client may process the same template again with other values."""
    template = template_of("${A}", value="b")
    process(template)
    assert template == template_of("${A}", value="b")

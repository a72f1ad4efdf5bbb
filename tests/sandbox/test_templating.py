# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's templates and their processing."""

from typing import Any

import pytest

from sandbox.statuses import Refusal
from sandbox.templating import load_templates, process

# The parameters that the contract requires in each kind's template; the first one has the workflow's id.
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
    """Return a template with one parameter, and one object that contains the text."""
    return {"metadata": {"name": "t"}, "parameters": [{"name": "A", **parameter}], "objects": [{"x": [text]}]}


def result_of(text: str, **parameter: object) -> object:
    """Return the text of the object after the template was processed."""
    return process(template_of(text, **parameter))["objects"][0]["x"][0]


def test_each_kind_of_workflow_has_one_template() -> None:
    """The label `template` identifies it; there are no templates for other kinds."""
    assert TEMPLATES.keys() == REQUIRED.keys()


@pytest.mark.parametrize("label", REQUIRED)
def test_a_template_requires_the_parameters_of_the_contract(label: str) -> None:
    """Otherwise a missing parameter would be found only in production."""
    required = {parameter["name"] for parameter in TEMPLATES[label]["parameters"] if parameter.get("required")}
    assert required >= REQUIRED[label]


@pytest.mark.parametrize("label", REQUIRED)
def test_a_template_has_one_workflow_with_the_name_of_its_first_parameter(label: str) -> None:
    """No reference to a parameter remains."""
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
def test_references_are_replaced_by_values(text: str, value: str | None, result: object) -> None:
    """${A} becomes text and ${{A}} a JSON value; unknown names and Argo's own placeholders stay."""
    assert result_of(text, value=value) == result


@pytest.mark.parametrize("value", [None, ""])
def test_a_required_parameter_without_a_value_is_refused_with_422(value: str | None) -> None:
    """An empty value counts as none; the error names the parameter."""
    with pytest.raises(Refusal, match="parameter A is required") as refused:
        process(template_of("${A}", value=value, required=True))
    assert refused.value.code == 422


def test_a_value_that_is_no_string_is_refused_with_400() -> None:
    """OpenShift cannot decode a number there."""
    with pytest.raises(Refusal) as refused:
        process(template_of("${A}", value=0))
    assert refused.value.code == 400


def test_processing_does_not_change_the_template() -> None:
    """A client may process the same template again with other values."""
    template = template_of("${A}", value="b")
    process(template)
    assert template == template_of("${A}", value="b")

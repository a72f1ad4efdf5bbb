# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures the workflow that a `schedule_*` function of thoth-common would submit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thoth.common import OpenShift
from thoth.common.workflows import WorkflowManager

from investigator.argo.parameters import SizeLimits, checked_parameters
from investigator.argo.templates import the_workflow


@dataclass(frozen=True, slots=True)
class PreparedWorkflow:
    """A processed template: a workflow that can be created.

    Attributes:
        namespace: the namespace of the workflow.
        body: the workflow.
        subject: names the template in logs.
        parameters: the texts that were set in the template and the workflow.
    """

    namespace: str
    body: dict[str, Any]
    subject: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


#: Processes the only template in a namespace that a selector matches, with these parameters.
Process = Callable[[str, str, Mapping[str, object]], dict[str, Any]]


class CapturingManager(WorkflowManager):
    """A workflow manager that captures the workflow which a `schedule_*` function would submit.

    The base converts each workflow to Argo's generated models and back. That takes ten times as long as the rest of
    the work, and drops fields that the models lack. Every text of a message passes here on its way into a workflow.
    """

    def __init__(self, openshift: OpenShift, process: Process, sizes: SizeLimits) -> None:
        self.openshift = openshift  # the base reads its namespaces
        self._process = process
        self._sizes = sizes
        self.captured: list[PreparedWorkflow] = []

    def submit_workflow_from_template(  # noqa: PLR0913 - the signature is the base's
        self,
        namespace: str,
        label_selector: str,
        *,
        template_parameters: dict[str, str] | None = None,
        workflow_parameters: dict[str, Any] | None = None,
        workflow_namespace: str | None = None,
        workflow_limit: int | None = None,
    ) -> str | None:
        """Capture the workflow instead of submitting it."""
        del workflow_limit
        of_template = checked_parameters(template_parameters or {}, self._sizes)
        of_workflow = checked_parameters(workflow_parameters or {}, self._sizes)
        processed = self._process(namespace, label_selector, of_template)
        workflow = the_workflow(processed, of_workflow, label_selector)
        subject = f"template with label {label_selector}"
        parameters = {**of_template, **of_workflow}
        self.captured.append(PreparedWorkflow(workflow_namespace or namespace, workflow, subject, parameters))
        return None

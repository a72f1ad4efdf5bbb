# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message or a workflow is about, in a few words."""

from collections.abc import Mapping

from sandbox.play.messages import Outgoing
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["shorten_index_urls", "subject_of_message", "subject_of_workflow"]

_FIELDS = ("image", "base_image", "url", "project_url", "inspection_id", "message", "adviser_id", "re_run_adviser_id")
_MORE_FIELDS = ("job_id", "origin")
_PARAMETERS = (
    "THOTH_ANALYZED_IMAGE",
    "THOTH_BUILD_ANALYSIS_BASE_IMAGE",
    "KEBECHET_REPO_URL",
    "project-url",
    "THOTH_SYNC_DOCUMENT_ID",
    "KEBECHET_SLUG",
)


def subject_of_message(message: Outgoing) -> str:
    """Name the package, image, repository or job that a message is about."""
    fields = message.fields
    if "package_name" in fields:
        return _package(fields.get("package_name"), fields.get("package_version"), fields.get("index_url"))
    if payload := fields.get("webhook_payload"):
        return str(payload["repository"]["full_name"])
    return next((str(fields[name]) for name in (*_FIELDS, *_MORE_FIELDS) if fields.get(name)), "")


def subject_of_workflow(workflow: CreatedWorkflow) -> str:
    """Name the kind of a workflow and the package, image, repository or job that it is about."""
    parameters = workflow.parameters
    if workflow.kind == "solver":
        packages = (parameters.get("THOTH_SOLVER_PACKAGES") or "").replace("===", " ")
        return f"{parameters.get('THOTH_SOLVER_NAME')} {packages}"
    if name := _ending(parameters, "PACKAGE_NAME"):
        return f"{workflow.kind} {_package(name, _ending(parameters, 'PACKAGE_VERSION'))}"
    subject = next((parameters[name] for name in _PARAMETERS if parameters.get(name)), "")
    # The name of a workflow begins with its kind, or says it in other words.
    return f"{workflow.kind} {subject}" if subject else workflow.name


def shorten_index_urls(text: str, server: str) -> str:
    """Leave out where the embedded index listens, so that the name of the real index shows, and what goes unsaid."""
    return text.replace(f"{server}/", "").replace("https://", "")


def _package(name: object, version: object, index_url: object = None) -> str:
    where = f" on {index_url}" if index_url else ""
    return f"{name} {version}{where}" if version else f"{name}, every version{where}"


def _ending(parameters: Mapping[str, str | None], ending: str) -> str:
    return next((value for name, value in parameters.items() if name.endswith(ending) and value), "")

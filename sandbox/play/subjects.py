# SPDX-License-Identifier: GPL-3.0-or-later
"""The subject of a message or workflow in a few words, for the lines that the run prints."""

from collections.abc import Mapping

from sandbox.play.messages import Outgoing
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["shorten_index_urls", "subject_of_message", "subject_of_workflow"]

# In order of precedence: the first field or parameter that has a value is the subject.
_FIELDS = (
    "image",
    "base_image",
    "url",
    "project_url",
    "inspection_id",
    "message",
    "adviser_id",
    "re_run_adviser_id",
    "job_id",
    "origin",
)
_PARAMETERS = (
    "THOTH_ANALYZED_IMAGE",
    "THOTH_BUILD_ANALYSIS_BASE_IMAGE",
    "KEBECHET_REPO_URL",
    "project-url",
    "THOTH_SYNC_DOCUMENT_ID",
    "KEBECHET_SLUG",
)


def subject_of_message(message: Outgoing) -> str:
    """Return the package, image, repository or job that a message is about; "" if it names none."""
    fields = message.fields
    if "package_name" in fields:
        return _package(fields.get("package_name"), fields.get("package_version"), fields.get("index_url"))
    if payload := fields.get("webhook_payload"):
        return str(payload["repository"]["full_name"])
    return next((str(fields[name]) for name in _FIELDS if fields.get(name)), "")


def subject_of_workflow(workflow: CreatedWorkflow) -> str:
    """Return the kind of a workflow and the package, image, repository or job that it is about."""
    parameters = workflow.parameters
    if workflow.kind == "solver":
        packages = (parameters.get("THOTH_SOLVER_PACKAGES") or "").replace("===", " ")
        return f"{parameters.get('THOTH_SOLVER_NAME')} {packages}"
    if name := _value_by_suffix(parameters, "PACKAGE_NAME"):
        return f"{workflow.kind} {_package(name, _value_by_suffix(parameters, 'PACKAGE_VERSION'))}"
    subject = next((parameters[name] for name in _PARAMETERS if parameters.get(name)), "")
    # The name of a workflow already begins with its kind or a word for it.
    return f"{workflow.kind} {subject}" if subject else workflow.name


def shorten_index_urls(text: str, server: str) -> str:
    """Remove the embedded index's address from the URLs in a text, so that only the real index's name shows.

    Args:
        text: the text.
        server: the URL of the embedded index, without a slash at the end.
    """
    return text.replace(f"{server}/", "").replace("https://", "")


def _package(name: object, version: object, index_url: object = None) -> str:
    on_index = f" on {index_url}" if index_url else ""
    return f"{name} {version}{on_index}" if version else f"{name}, every version{on_index}"


def _value_by_suffix(parameters: Mapping[str, str | None], suffix: str) -> str:
    return next((value for name, value in parameters.items() if name.endswith(suffix) and value), "")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates workflows, and believes that one was created only if an answer of the API shows it."""

import contextlib
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from urllib3.exceptions import ProtocolError

from investigator.argo.api_errors import ApiError, UnexpectedAnswerError
from investigator.argo.existing_workflow import owner, result_of_existing
from investigator.argo.http import ClusterApi
from investigator.argo.workflow_creation import CreateResult

_LOGGER = logging.getLogger(__name__)
_RESOURCE = "workflows"
_REPEATED_LOOK_UPS = 2


def create_workflow(
    api: ClusterApi, url: str, body: dict[str, Any], *, has_derived_name: bool, subject: str = ""
) -> CreateResult:
    """Create a workflow, or find that this message has created it.

    If the answer does not show that it was created, look it up by its name, and see whose it is.

    Args:
        api: the cluster's API.
        url: the URL of the namespace's workflows.
        body: the workflow.
        has_derived_name: whether the name is derived from the message.
        subject: what the request is about, for the log of the API's warnings.

    Raises:
        ApiError: the API refused the request, or the answer shows no workflow and there is none of that name.
        urllib3.exceptions.HTTPError: the API could not be reached, or did not answer in time.
        AnotherOwnerError: the workflow of that name belongs to another request.
    """
    name = body["metadata"]["name"]
    try:
        api.post(url, body, kind="Workflow", name=name, subject=subject)
    except ApiError as error:
        if not isinstance(error, UnexpectedAnswerError) and error.status != HTTPStatus.CONFLICT:
            raise
        existing = _look_up(api, url, name, error)
        result = result_of_existing(existing, body, has_derived_name=has_derived_name)
        if result is CreateResult.DUPLICATE:
            _LOGGER.info("Found the workflow of another, equal request name=%s owner=%s", name, owner(existing))
        elif error.status != HTTPStatus.CONFLICT:  # the odd answer hid the creation
            return CreateResult.CREATED
        return result
    return CreateResult.CREATED


def _look_up(api: ClusterApi, url: str, name: str, doubt: ApiError) -> dict[str, Any]:
    """Return the workflow behind an answer that does not show it; raise that answer if there is none."""
    says_exists = _says_exists(doubt, name)
    try:
        existing = _get(api, f"{url}/{quote(name, safe='')}", name)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            _LOGGER.warning("Could not look up a workflow after an odd answer name=%s error=%s", name, error)
            if says_exists:  # the cluster's answer is clear, so what fails is the look-up
                raise
        raise doubt from error
    if not says_exists:
        _LOGGER.warning("Found the workflow of a creation with an odd answer name=%s answer=%s", name, doubt)
    return existing


def _get(api: ClusterApi, url: str, name: str) -> dict[str, Any]:
    """Return the workflow; repeat a request whose connection broke, so that the creation need not be repeated."""
    for _ in range(_REPEATED_LOOK_UPS):
        with contextlib.suppress(ProtocolError):
            return api.get(url, kind="Workflow", name=name)
    return api.get(url, kind="Workflow", name=name)


def _says_exists(error: ApiError, name: str) -> bool:
    """Return whether a 409 says that the workflow exists; others mean a conflict, e.g. of creations at a quota."""
    about = error.details.get("kind", _RESOURCE), error.details.get("name", name)
    return error.status == HTTPStatus.CONFLICT and error.reason == "AlreadyExists" and about == (_RESOURCE, name)

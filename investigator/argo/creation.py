# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates workflows, and believes that one was created only if an answer of the API shows it."""

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from investigator.argo.api_errors import ApiError, UnexpectedAnswerError
from investigator.argo.http import ClusterApi

_LOGGER = logging.getLogger(__name__)
_RESOURCE = "workflows"


def create_workflow(api: ClusterApi, url: str, body: dict[str, Any], *, subject: str = "") -> bool:
    """Create a workflow; return False if one of that name exists already.

    If the answer shows neither, look the workflow up by its name.

    Args:
        api: the cluster's API.
        url: the URL of the namespace's workflows.
        body: the workflow.
        subject: what the request is about, for the log of the API's warnings.

    Raises:
        ApiError: the API refused the request, or the answer shows no workflow and there is none of that name.
        urllib3.exceptions.HTTPError: the API could not be reached, or did not answer in time.
    """
    name = body["metadata"]["name"]
    try:
        api.post(url, body, kind="Workflow", name=name, subject=subject)
    except UnexpectedAnswerError as error:
        return _look_up(api, url, name, error)
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        return not _says_exists(error, name) and _look_up(api, url, name, error)
    return True


def _look_up(api: ClusterApi, url: str, name: str, doubt: ApiError) -> bool:
    """Return whether the doubtful answer hid a creation or an existing workflow; raise it if there is no workflow."""
    try:
        api.get(f"{url}/{quote(name, safe='')}", kind="Workflow", name=name)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            _LOGGER.warning("Could not look up a workflow after an odd answer name=%s error=%s", name, error)
        raise doubt from error
    _LOGGER.warning("Found the workflow of a creation with an odd answer name=%s answer=%s", name, doubt)
    return doubt.status != HTTPStatus.CONFLICT


def _says_exists(error: ApiError, name: str) -> bool:
    """Return whether a 409 says that the workflow exists; others mean a conflict, e.g. of creations at a quota."""
    about = error.details.get("kind", _RESOURCE), error.details.get("name", name)
    return error.reason == "AlreadyExists" and about == (_RESOURCE, name)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the cluster is complete, and errors without an answer have their meaning."""

import pytest
import urllib3.exceptions
from thoth.common.exceptions import SolverNameParseError

from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.argo.answers import cluster_error
from investigator.argo.api_errors import ApiError
from investigator.argo.credentials import ClusterConfigError
from investigator.argo.templates import DeploymentError, NoWorkflowError, TemplateError
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from sandbox.recorded import CLUSTER, GATEWAYS

WITHOUT_ANSWER = {
    "certificate not accepted": urllib3.exceptions.SSLError("certificate verify failed"),
    "no answer": urllib3.exceptions.ProtocolError("reset"),
    "faulty deployment": TemplateError("0 templates"),
    "no workflow": NoWorkflowError("no objects"),
    "credentials not readable": PermissionError("token"),
    "invalid arguments": SolverNameParseError("odd"),
}


def test_each_row_has_an_example() -> None:
    """A row that no answer matches may be hidden by an earlier one."""
    recorded = {answer.row for answer in (*CLUSTER, *GATEWAYS)}
    assert {row.name for row in CLUSTER_ANSWERS} == recorded | WITHOUT_ANSWER.keys()


@pytest.mark.parametrize("name", WITHOUT_ANSWER)
def test_an_error_without_an_answer_has_the_meaning_of_its_row(name: str) -> None:
    """The text names the cause and the exception."""
    row = next(row for row in CLUSTER_ANSWERS if row.name == name)
    error = cluster_error(WITHOUT_ANSWER[name])
    kinds = {"invalid arguments": PermanentError, "no workflow": TemporaryError}
    assert type(error) is kinds.get(name, UnavailableError)
    assert str(error).startswith(f"{row.cause}: ")
    assert str(WITHOUT_ANSWER[name]) in str(error)


@pytest.mark.parametrize("error", [DeploymentError("no solvers"), ClusterConfigError("no file"), TimeoutError("slow")])
def test_errors_of_the_surroundings_concern_every_message(error: Exception) -> None:
    """No message is at fault, so no attempt counts."""
    assert isinstance(cluster_error(error), UnavailableError)


@pytest.mark.parametrize("sender", ["web page", "unknown"])
def test_no_answer_of_a_gateway_is_about_the_message(sender: str) -> None:
    """A gateway does not know what the message asks for."""
    errors = [cluster_error(ApiError("POST /", status, "text", sender=sender)) for status in range(100, 1000)]
    assert all(isinstance(error, TemporaryError) for error in errors)


def test_no_answer_to_a_read_is_about_the_message() -> None:
    """Reads are the same for all messages."""
    errors = [cluster_error(ApiError("GET /", status, "text")) for status in range(100, 1000)]
    assert all(isinstance(error, TemporaryError) for error in errors)


def test_the_delay_is_that_of_the_answer() -> None:
    """The seconds of Retry-After reach the engine."""
    error = cluster_error(ApiError("GET /", 429, "slow down", retry_after=2))
    assert isinstance(error, UnavailableError)
    assert error.delay == 2


def test_an_unknown_error_is_not_mapped() -> None:
    """A defect of the worker must not look like an error of the cluster."""
    error = AssertionError("ours")
    assert cluster_error(error) is error

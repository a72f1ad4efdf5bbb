# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors for handlers after errors of the database."""

import psycopg2
import pytest
from sqlalchemy import exc

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.client import graph_error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exc.OperationalError("SELECT", {}, psycopg2.OperationalError("reset")), UnavailableError),
        (exc.InterfaceError("SELECT", {}, psycopg2.InterfaceError("connection already closed")), UnavailableError),
        (exc.DataError("SELECT", {}, psycopg2.DataError("out of range")), PermanentError),
        (exc.IntegrityError("SELECT", {}, psycopg2.IntegrityError("unique")), PermanentError),
        (exc.TimeoutError("pool"), TemporaryError),
        (ValueError("odd"), PermanentError),
    ],
)
def test_errors_are_mapped_to_those_of_handlers(error: Exception, kind: type[Exception]) -> None:
    """The type says whether another attempt may succeed, and whether the server is unavailable."""
    assert type(graph_error(error)) is kind


def test_an_unknown_error_is_not_mapped() -> None:
    """A defect of the worker must not look like an error of the database."""
    error = AssertionError("ours")
    assert graph_error(error) is error

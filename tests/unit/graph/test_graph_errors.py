# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of errors of the database."""

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
def test_errors_are_told_apart(error: Exception, kind: type[Exception]) -> None:
    """Handlers see whether another attempt may help, and whether everybody is concerned."""
    assert type(graph_error(error)) is kind


def test_an_unknown_error_stays_what_it_is() -> None:
    """A defect of ours is not dressed up as the database's trouble."""
    error = AssertionError("ours")
    assert graph_error(error) is error

# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the graph is complete, and errors without an SQLSTATE have their meaning."""

import psycopg2
import pytest
from sqlalchemy import exc

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.answers import GRAPH_ANSWERS, graph_error
from investigator.resilience.answers import Answer, find_row
from sandbox.recorded import GRAPH, RecordedError

CLOSED = exc.InvalidRequestError("This connection is closed")
NOT_ADAPTED = psycopg2.ProgrammingError("can't adapt type 'object'")
WITHOUT_CODE: dict[str, tuple[Exception, type[Exception]]] = {
    "no connection": (exc.OperationalError("SELECT", {}, psycopg2.OperationalError("reset")), UnavailableError),
    "connection lost within a transaction": (exc.StatementError("closed", "SELECT", {}, CLOSED), UnavailableError),
    "invalid argument": (exc.DataError("SELECT", {}, psycopg2.DataError("out of range")), PermanentError),
    "can't be sent": (exc.StatementError("bad value", "SELECT", {}, KeyError("x")), PermanentError),
    "other error of the driver": (exc.ProgrammingError("SELECT", {}, NOT_ADAPTED), TemporaryError),
    "other error of the client": (exc.TimeoutError("pool"), TemporaryError),
}


def test_each_row_has_an_example() -> None:
    """A row that no error matches may be hidden by an earlier one."""
    assert {row.name for row in GRAPH_ANSWERS} == {error.row for error in GRAPH} | WITHOUT_CODE.keys()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        *WITHOUT_CODE.values(),
        (CLOSED, UnavailableError),
        (exc.InterfaceError("SELECT", {}, psycopg2.InterfaceError("connection already closed")), UnavailableError),
        (exc.IntegrityError("SELECT", {}, psycopg2.IntegrityError("unique")), PermanentError),
        (ValueError("A string literal cannot contain NUL (0x00) characters."), PermanentError),
    ],
)
def test_errors_without_a_code_are_mapped_to_those_of_handlers(error: Exception, kind: type[Exception]) -> None:
    """The type says whether another attempt may succeed, and whether the server is unavailable."""
    assert type(graph_error(error)) is kind


def _code(error: RecordedError) -> str:
    return error.sqlstate


@pytest.mark.parametrize("error", GRAPH, ids=_code)
def test_the_text_of_an_error_does_not_change_its_row(error: RecordedError) -> None:
    """A server may send its texts in any language."""
    row = find_row(GRAPH_ANSWERS, Answer((error.sqlstate, "SQLSTATE"), "en otra lengua"))
    assert row
    assert row.name == error.row


def test_the_error_has_no_statement_and_no_parameters() -> None:
    """They may contain what a user sent."""
    error = exc.OperationalError("SELECT secret", {"x": "hidden"}, psycopg2.OperationalError("reset"))
    assert str(graph_error(error)) == "the graph is unavailable: reset"


def test_an_unknown_error_is_not_mapped() -> None:
    """A defect of the worker must not look like an error of the database."""
    error = AssertionError("ours")
    assert graph_error(error) is error

# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the knowledge graph's database, and the errors for handlers."""

import psycopg2
from sqlalchemy import exc
from thoth.common.exceptions import ThothCommonExceptionError
from thoth.storages.exceptions import ThothStorageExceptionError

from investigator.resilience.answers import Answer, Meaning, Row, class_names, error_for, find_row

#: A connection with such an error leads to a server that no longer serves writers: the pool must drop it.
LEAVE_SERVER = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})

#: The first row that matches decides. Codes are SQLSTATEs, or the classes of exceptions.
GRAPH_ANSWERS: tuple[Row, ...] = (
    Row(
        name="read-only server",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's server accepts no writes: it is a standby, or another server has taken over",
        codes=("25006",),
    ),
    Row(
        name="server stops or starts",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's server stops or starts",
        codes=("57P0?",),
    ),
    Row(
        name="connection lost",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph is unavailable",
        codes=("08???",),
    ),
    Row(
        name="no resources",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's server lacks connections, memory or disk space",
        codes=("53???",),
    ),
    Row(
        name="file system fails",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's server can't read or write its files",
        codes=("58???",),
    ),
    Row(
        name="login refused",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's server refuses the worker's login",
        codes=("28???", "3D000"),
    ),
    Row(
        name="missing privilege",
        meaning=Meaning.UNAVAILABLE,
        cause="the worker's user lacks a privilege in the graph's database",
        codes=("42501",),
    ),
    Row(
        name="other schema",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph's schema does not fit this version of the worker",
        codes=("42P01", "42703", "42883", "3F000"),
    ),
    Row(
        name="conflict of transactions",
        meaning=Meaning.TEMPORARY,
        cause="another transaction was in the way",
        codes=("40???", "55P03", "23505"),
    ),
    Row(
        name="canceled",
        meaning=Meaning.TEMPORARY,
        cause="the query of the graph took too long or was canceled",
        codes=("57014",),
    ),
    Row(
        name="invalid value",
        meaning=Meaning.PERMANENT,
        cause="the graph cannot store or query this",
        codes=("22???", "23???"),
    ),
    Row(
        name="other error of the server",
        meaning=Meaning.TEMPORARY,
        cause="the query of the graph failed",
        codes=("SQLSTATE",),
    ),
    Row(
        name="invalid argument",
        meaning=Meaning.PERMANENT,
        cause="the graph cannot store or query this",
        codes=("ThothCommonExceptionError", "ThothStorageExceptionError", "DataError", "IntegrityError", "ValueError"),
    ),
    Row(
        name="no connection",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph is unavailable",
        codes=("OperationalError", "InterfaceError", "DisconnectionError"),
    ),
    Row(
        name="connection lost within a transaction",
        meaning=Meaning.UNAVAILABLE,
        cause="the graph is unavailable",
        codes=("StatementError", "InvalidRequestError"),
        text=r"Can't reconnect until invalid transaction is rolled back|This connection is closed",
    ),
    Row(
        name="other error of the driver",
        meaning=Meaning.TEMPORARY,
        cause="the query of the graph failed",
        codes=("DBAPIError",),
    ),
    Row(
        name="can't be sent",
        meaning=Meaning.PERMANENT,
        cause="the graph cannot store or query this",
        codes=("StatementError",),
    ),
    Row(
        name="other error of the client",
        meaning=Meaning.TEMPORARY,
        cause="the query of the graph failed",
        codes=("SQLAlchemyError",),
    ),
)

_KNOWN = (exc.SQLAlchemyError, ThothCommonExceptionError, ThothStorageExceptionError, ValueError)


def graph_error(error: Exception) -> Exception:
    """Map an exception of the database or the library to the error for the handler; return an unknown one unchanged."""
    if not isinstance(error, _KNOWN):
        return error
    code = sqlstate(error)
    row = find_row(GRAPH_ANSWERS, Answer((code, "SQLSTATE") if code else class_names(error), _text(error)))
    return error_for(row, _text(error)) if row else error


def sqlstate(error: Exception) -> str | None:
    """Return PostgreSQL's code of an error; None if the server sent none, as when the connection broke."""
    original = getattr(error, "orig", error)
    return original.pgcode if isinstance(original, psycopg2.Error) else None


def _text(error: Exception) -> str:
    """Return the server's text; without it, the exception, but never a statement with its parameters."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip()
    return text if isinstance(original, psycopg2.Error) else f"{type(original).__name__}: {text}"

# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the knowledge graph's database, and the errors for handlers."""

import psycopg2
from sqlalchemy import exc
from thoth.common.exceptions import ThothCommonExceptionError
from thoth.storages.exceptions import ThothStorageExceptionError

from investigator.resilience.answers import (
    Answer,
    Row,
    class_names,
    error_for,
    find_row,
    permanent,
    temporary,
    unavailable,
)

#: A connection with such an error leads to a server that no longer serves writers: the pool must drop it.
LEAVE_SERVER = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})

#: The first row that matches decides. Codes are SQLSTATEs, or the classes of exceptions.
GRAPH_ANSWERS: tuple[Row, ...] = (
    unavailable(
        "read-only server",
        ("25006",),
        "the graph's server accepts no writes: it is a standby, or another server has taken over",
    ),
    unavailable("server stops or starts", ("57P0?",), "the graph's server stops or starts"),
    unavailable("connection lost", ("08???",), "the graph is unavailable"),
    unavailable("no resources", ("53???",), "the graph's server lacks connections, memory or disk space"),
    unavailable("file system fails", ("58???",), "the graph's server can't read or write its files"),
    unavailable("login refused", ("28???", "3D000"), "the graph's server refuses the worker's login"),
    unavailable("missing privilege", ("42501",), "the worker's user lacks a privilege in the graph's database"),
    unavailable(
        "other schema",
        ("42P01", "42703", "42883", "3F000"),
        "the graph's schema does not fit this version of the worker",
    ),
    temporary("conflict of transactions", ("40???", "55P03", "23505"), "another transaction was in the way"),
    temporary("canceled", ("57014",), "the query of the graph took too long or was canceled"),
    permanent("invalid value", ("22???", "23???"), "the graph cannot store or query this"),
    temporary("other error of the server", ("SQLSTATE",), "the query of the graph failed"),
    permanent(
        "invalid argument",
        ("ThothCommonExceptionError", "ThothStorageExceptionError", "DataError", "IntegrityError", "ValueError"),
        "the graph cannot store or query this",
    ),
    unavailable(
        "no connection", ("OperationalError", "InterfaceError", "DisconnectionError"), "the graph is unavailable"
    ),
    unavailable(
        "connection lost within a transaction",
        ("StatementError", "InvalidRequestError"),
        "the graph is unavailable",
        text=r"Can't reconnect until invalid transaction is rolled back|This connection is closed",
    ),
    temporary("other error of the driver", ("DBAPIError",), "the query of the graph failed"),
    permanent("can't be sent", ("StatementError",), "the graph cannot store or query this"),
    temporary("other error of the client", ("SQLAlchemyError",), "the query of the graph failed"),
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

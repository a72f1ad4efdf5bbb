# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of package indexes, and the errors for handlers."""

from investigator.delivery.errors import TemporaryError
from investigator.resilience.answers import (
    Answer,
    Meaning,
    Row,
    class_names,
    done,
    error_for,
    find_row,
    permanent,
    temporary,
    unavailable,
)

#: The first row that matches decides. Codes are HTTP statuses, or the classes of exceptions.
INDEX_ANSWERS: tuple[Row, ...] = (
    done("no such package", ("404", "410"), "the index does not have the package"),
    temporary(
        "access refused",
        ("401", "403", "405", "406", "407"),
        "the package index, or a proxy, refuses the worker's access to every package",
    ),
    unavailable("throttled", ("429",), "the package index asks for fewer requests"),
    unavailable("gateway without index", ("502", "503", "504"), "the package index is unavailable"),
    permanent("request refused", ("400", "414", "422"), "the package index refuses this request"),
    temporary("other status", ("[1-5]??",), "the package index does not send a listing"),
    temporary("invalid encoding", ("ContentDecodingError",), "the package index sent an invalid response"),
    permanent("invalid URL or specifier", ("ValueError",), "the URL of the package index is invalid"),
    unavailable("no answer", ("RequestException",), "the package index does not answer"),
)


class ProjectNotFoundError(Exception):
    """The index answered that it does not have the project."""


def status_error(status: int, text: str, delay: float | None) -> Exception:
    """Return the error for an answer that is no listing.

    Args:
        status: the HTTP status.
        text: the request and the answer.
        delay: the seconds of the answer's Retry-After header, None without one.
    """
    row = find_row(INDEX_ANSWERS, Answer((str(status),)))
    if row is None:
        return TemporaryError(text, delay=delay)
    return ProjectNotFoundError(text) if row.meaning is Meaning.DONE else error_for(row, text, delay=delay)


def index_error(error: Exception) -> Exception:
    """Map an exception of a look-up to the error for the handler; return an unknown one unchanged."""
    row = find_row(INDEX_ANSWERS, Answer(class_names(error), str(error)))
    return error_for(row, str(error)) if row else error

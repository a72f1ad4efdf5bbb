# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of package indexes, and the errors for handlers."""

from investigator.delivery.errors import TemporaryError
from investigator.resilience.answers import Answer, Meaning, Row, class_names, error_for, find_row

#: The first row that matches decides. Codes are HTTP statuses, or the classes of exceptions.
INDEX_ANSWERS: tuple[Row, ...] = (
    Row(
        name="no such package",
        meaning=Meaning.DONE,
        cause="the index does not have the package",
        codes=("404", "410"),
    ),
    Row(
        name="access refused",
        meaning=Meaning.TEMPORARY,
        cause="the package index, or a proxy, refuses the worker's access to every package",
        codes=("401", "403", "405", "406", "407"),
    ),
    Row(
        name="throttled",
        meaning=Meaning.UNAVAILABLE,
        cause="the package index asks for fewer requests",
        codes=("429",),
    ),
    Row(
        name="gateway without index",
        meaning=Meaning.UNAVAILABLE,
        cause="the package index is unavailable",
        codes=("502", "503", "504"),
    ),
    Row(
        name="request refused",
        meaning=Meaning.PERMANENT,
        cause="the package index refuses this request",
        codes=("400", "414", "422"),
    ),
    Row(
        name="other status",
        meaning=Meaning.TEMPORARY,
        cause="the package index does not send a listing",
        codes=("[1-5]??",),
    ),
    Row(
        name="invalid encoding",
        meaning=Meaning.TEMPORARY,
        cause="the package index sent an invalid response",
        codes=("ContentDecodingError",),
    ),
    Row(
        name="invalid URL or specifier",
        meaning=Meaning.PERMANENT,
        cause="the URL of the package index is invalid",
        codes=("ValueError",),
    ),
    Row(
        name="no answer",
        meaning=Meaning.UNAVAILABLE,
        cause="the package index does not answer",
        codes=("RequestException",),
    ),
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the errors of cluster calls by the table of answers."""

from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.argo.api_errors import ApiError
from investigator.resilience.answers import Answer, Meaning, Row, class_names, error_for, find_row


def cluster_error(error: Exception) -> Exception:
    """Map an exception of a cluster call to the error for the handler; return an unknown one unchanged."""
    if isinstance(error, ApiError):
        row = find_row(CLUSTER_ANSWERS, api_answer(error))
        return error_for(row, str(error), delay=error.retry_after) if row else error
    row = find_row(CLUSTER_ANSWERS, Answer(class_names(error), str(error)))
    return error_for(row, _with_class(error, row)) if row else error


def api_answer(error: ApiError) -> Answer:
    """Return the facts about a refusal or an odd answer that decide its row."""
    codes = (str(error.status), *filter(None, [error.reason]))
    return Answer(codes, error.message, error.sender, error.method)


def _with_class(error: Exception, row: Row) -> str:
    return f"{type(error).__name__}: {error}" if row.meaning is Meaning.PERMANENT else str(error)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of answers: what an error or an odd answer of a dependency means for the message that waits for it.

Each dependency has a table of rows, and the first row that matches an answer decides. docs/reference/errors.md is
generated from these tables.
"""

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from fnmatch import fnmatchcase
from functools import partial

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError


class Meaning(Enum):
    """What follows for the message; the values are the names in docs/reference/errors.md."""

    PERMANENT = "fails permanently"  # the answer is about this message: no later attempt can succeed
    TEMPORARY = "temporary"  # unclear what it is about: a later attempt may succeed, and each one counts
    UNAVAILABLE = "unavailable"  # it concerns every message: they wait, and no attempt counts
    WAIT_FOR_ROOM = "wait for room"  # the namespace is full
    DONE = "done"  # nothing is left to do


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts about an answer that a row may ask for.

    Attributes:
        codes: HTTP status and Kubernetes' reason, SQLSTATE, or the names of an exception's classes.
        text: the message of the answer.
        sender: who sent the answer; empty where that is no question.
        method: the HTTP method of the request; empty where that is no question.
    """

    codes: tuple[str, ...]
    text: str = ""
    sender: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of answer, and its meaning.

    Attributes:
        meaning: what follows for the message.
        name: identifies the row in documents and tests.
        codes: glob patterns, of which one must match a code of the answer.
        cause: says to the operator what is wrong; it precedes the text of the answer.
        text: a regular expression that must be found in the text, whatever the case of letters.
        senders: the possible senders; empty for any.
        method: the HTTP method; empty for any.
    """

    meaning: Meaning
    name: str
    codes: tuple[str, ...]
    cause: str
    _: KW_ONLY
    text: str = ""
    senders: tuple[str, ...] = ()
    method: str = ""

    def matches(self, answer: Answer) -> bool:
        """Return whether the row is about the answer."""
        return (
            (not self.senders or answer.sender in self.senders)
            and self.method in ("", answer.method)
            and any(fnmatchcase(code, pattern) for code in answer.codes for pattern in self.codes)
            and re.search(self.text, answer.text, re.IGNORECASE) is not None
        )


# Each makes a row of its meaning.
permanent = partial(Row, Meaning.PERMANENT)
temporary = partial(Row, Meaning.TEMPORARY)
unavailable = partial(Row, Meaning.UNAVAILABLE)
wait_for_room = partial(Row, Meaning.WAIT_FOR_ROOM)
done = partial(Row, Meaning.DONE)


def find_row(rows: Sequence[Row], answer: Answer) -> Row | None:
    """Return the first row that matches the answer, None if there is none."""
    return next((row for row in rows if row.matches(answer)), None)


def error_for(row: Row, text: str, *, delay: float | None = None) -> PermanentError | TemporaryError:
    """Return the error for the handler.

    Args:
        row: the row of the answer.
        text: the request and the answer.
        delay: the seconds of the answer's Retry-After header, None without one.
    """
    message = f"{row.cause}: {text}"
    if row.meaning is Meaning.PERMANENT:
        return PermanentError(message)
    if row.meaning is Meaning.UNAVAILABLE:
        return UnavailableError(message, delay=delay)
    return TemporaryError(message, delay=delay)


def class_names(error: BaseException) -> tuple[str, ...]:
    """Return the names of an exception's classes, the most specific first: its codes in an `Answer`."""
    return tuple(kind.__name__ for kind in type(error).__mro__)

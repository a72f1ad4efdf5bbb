# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors by which a handler, or a call that it makes, says whether a retry can help."""

#: The longest text of an error. It goes into logs, headers, the halt log and pages, and data may be part of it.
MAX_ERROR_CHARACTERS = 2000


def shortened(text: str) -> str:
    """Return the text, cut to MAX_ERROR_CHARACTERS."""
    return text if len(text) <= MAX_ERROR_CHARACTERS else f"{text[: MAX_ERROR_CHARACTERS - 1]}…"


class PermanentError(Exception):
    """The message is permanently invalid: no later attempt can succeed.

    Raise it ``from`` the exception that revealed it, so that the cause stays in the chain.
    """

    def __init__(self, message: str) -> None:
        """Store ``message``, one sentence for the operator who has to correct the sent message."""
        super().__init__(shortened(message))
        self.message = shortened(message)


class TemporaryError(Exception):
    """A dependency is in trouble: the same message may succeed later.

    ``delay`` is the number of seconds for which the server asked for no requests (Retry-After); None if it did not ask.
    """

    def __init__(self, message: str, *, delay: float | None = None) -> None:
        """Store ``message``, one sentence for the operator, and the ``delay`` in seconds."""
        super().__init__(shortened(message))
        self.message = shortened(message)
        self.delay = delay


class UnavailableError(TemporaryError):
    """A dependency as a whole is unavailable: refused, reset, timed out, or it asks all clients to wait."""

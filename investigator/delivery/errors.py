# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler, or a call that it makes, may say about why it failed."""


class PermanentError(Exception):
    """The message is wrong for good: no later attempt can end otherwise.

    Raise it ``from`` the exception that showed it, so that the cause stays in the chain.
    """

    def __init__(self, message: str) -> None:
        """Keep ``message``, one sentence for the operator who has to put the message right."""
        super().__init__(message)
        self.message = message


class TemporaryError(Exception):
    """The surroundings are in trouble: the same message may well succeed later.

    ``delay`` is the number of seconds that the other side asked to be left alone (Retry-After), None where
    it asked for nothing.
    """

    def __init__(self, message: str, *, delay: float | None = None) -> None:
        """Keep ``message``, one sentence for the operator, and the ``delay`` in seconds."""
        super().__init__(message)
        self.message = message
        self.delay = delay


class UnavailableError(TemporaryError):
    """A dependency as a whole seems to be away: refused, reset, timed out, or it asks everybody to hold back."""

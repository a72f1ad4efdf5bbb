# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses the values of messages, the large ones in a thread, so that the event loop goes on meanwhile."""

from collections.abc import Callable
from functools import partial

from investigator.agent import Message, MessageType
from investigator.delivery.errors import PermanentError
from investigator.resilience.thread_pool import DaemonThreadPool

#: Values from this size on, in bytes, are parsed in a thread: up to it the event loop is busy for milliseconds.
LARGE = 64 * 1024


class Parser:
    """Parses values into records. One thread parses all large values, so that their memory is needed once.

    Args:
        learn_secrets: called with each record, to keep the passwords in it out of logs and errors.
    """

    def __init__(self, learn_secrets: Callable[[object], None]) -> None:
        self._learn_secrets = learn_secrets
        self._threads = DaemonThreadPool(1, "parser")

    async def parse(self, message_type: MessageType, value: bytes | None) -> Message:
        """Return the record; raise PermanentError if the value is none."""
        parse = partial(_parse, message_type, value)
        record = parse() if len(value or b"") < LARGE else await self._threads.run(parse)
        self._learn_secrets(record)
        return record

    def close(self) -> None:
        """End the thread."""
        self._threads.close()


def _parse(message_type: MessageType, value: bytes | None) -> Message:
    try:
        return message_type.parse(value)
    except PermanentError:
        raise
    except Exception as error:
        # An unforeseen error is one of the value, too: no later attempt reads it.
        raise PermanentError(f"the value could not be read: {type(error).__name__}") from error

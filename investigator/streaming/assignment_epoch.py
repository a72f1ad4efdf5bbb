# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the ledger that a message belongs to, from its being fetched on.

A topic may begin anew while messages of before still wait in its stream; they must not be taken for those of now.
"""

from faust.types.tuples import ConsumerMessage, Message

_ATTRIBUTE = "ledger_page"


def with_epoch(message: ConsumerMessage, page: int | None) -> ConsumerMessage:
    """Note the page that the message's partition has now."""
    setattr(message, _ATTRIBUTE, page)
    return message


def epoch_of(message: Message) -> int | None:
    """Give the page that was noted; None where the partition had none, or nothing was."""
    page: int | None = getattr(message, _ATTRIBUTE, None)
    return page

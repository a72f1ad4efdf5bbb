# SPDX-License-Identifier: GPL-3.0-or-later
"""The assignment epoch in which a message was fetched, carried through Faust's streams.

A topic can be deleted and recreated while old messages are still buffered. The epoch tells them apart.
"""

from faust.types.tuples import ConsumerMessage, Message

_ATTRIBUTE = "assignment_epoch"


def with_epoch(message: ConsumerMessage, epoch: int | None) -> ConsumerMessage:
    """Attach the epoch that the message's partition has now, and return the message."""
    setattr(message, _ATTRIBUTE, epoch)
    return message


def epoch_of(message: Message) -> int | None:
    """Return the attached epoch; None where the partition was not assigned, or none was attached."""
    epoch: int | None = getattr(message, _ATTRIBUTE, None)
    return epoch

# SPDX-License-Identifier: GPL-3.0-or-later
"""Commit metadata: the offsets finished after the committed one, as the short text that Kafka stores with a commit.

The text is the committed offset and a bitmap in Base64: bit i stands for the committed offset + 1 + i. Tools that move
groups to another cluster translate the committed offset and copy the text, which then says nothing about the offsets
there. So a text counts only beside the offset that it names. Brokers accept 4096 characters
(`offset.metadata.max.bytes`); with the bound on the offset lead the text has a few hundred at most.
"""

import base64
import binascii
import re

from investigator.delivery.ledger import CommitPosition

_PREFIX = "finished2:"
_FORMAT = re.compile(r"finished2:(?P<offset>[0-9]{1,19}):(?P<bitmap>[A-Za-z0-9+/=]+)")

# That of version 0.1.0 and earlier names no offset. It is read, so that an upgrade handles no message twice.
_OLD_FORMAT = re.compile(r"finished1:(?P<bitmap>[A-Za-z0-9+/=]+)")
_MAX_CHARACTERS = 4096
_MAX_OFFSET_DIGITS = 19
_MAX_BITS = (_MAX_CHARACTERS - len(_PREFIX) - _MAX_OFFSET_DIGITS - 1) // 4 * 3 * 8


def encode(position: CommitPosition) -> str:
    """Return the finished offsets as text, empty if there are none; offsets beyond what fits are left out."""
    bits = sum(
        1 << offset - position.offset - 1 for offset in position.finished if offset - position.offset <= _MAX_BITS
    )
    if not bits:
        return ""
    bitmap = base64.b64encode(bits.to_bytes((bits.bit_length() + 7) // 8, "little")).decode("ascii")
    return f"{_PREFIX}{position.offset}:{bitmap}"


def decode(offset: int, text: str | None) -> CommitPosition:
    """Return the position that `encode` wrote with the commit of an offset.

    Any other text holds no offsets: that of another tool or of another offset, or none.
    """
    bits = int.from_bytes(_bytes(_bitmap(offset, (text or "")[: _MAX_CHARACTERS + 1])), "little")
    return CommitPosition(offset, frozenset(offset + 1 + bit for bit in range(bits.bit_length()) if bits >> bit & 1))


def _bitmap(offset: int, text: str) -> str:
    if match := _FORMAT.fullmatch(text):
        return match["bitmap"] if int(match["offset"]) == offset else ""
    old = _OLD_FORMAT.fullmatch(text)
    return "" if old is None else old["bitmap"]


def _bytes(bitmap: str) -> bytes:
    try:
        return base64.b64decode(bitmap, validate=True)
    except (binascii.Error, ValueError):
        return b""

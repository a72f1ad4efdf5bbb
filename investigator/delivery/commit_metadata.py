# SPDX-License-Identifier: GPL-3.0-or-later
"""Commit metadata: the offsets finished after the committed one, as the short text that Kafka stores with a commit.

The text is a bitmap in Base64: bit i stands for the committed offset + 1 + i. Brokers accept 4096 characters
(`offset.metadata.max.bytes`); with the bound on the offset lead the text has a few hundred at most.
"""

import base64
import binascii

from investigator.delivery.ledger import CommitPosition

_PREFIX = "finished1:"
_MAX_CHARACTERS = 4096
_MAX_BITS = (_MAX_CHARACTERS - len(_PREFIX)) // 4 * 3 * 8


def encode(position: CommitPosition) -> str:
    """Return the finished offsets as text, empty if there are none; offsets beyond what fits are left out."""
    bits = sum(
        1 << offset - position.offset - 1 for offset in position.finished if offset - position.offset <= _MAX_BITS
    )
    if not bits:
        return ""
    return _PREFIX + base64.b64encode(bits.to_bytes((bits.bit_length() + 7) // 8, "little")).decode("ascii")


def decode(offset: int, text: str) -> CommitPosition:
    """Return the position that `encode` wrote with the commit of an offset; text of other tools holds no offsets."""
    try:
        content = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except (binascii.Error, ValueError):
        content = b""
    bits = int.from_bytes(content, "little")
    return CommitPosition(offset, frozenset(offset + 1 + bit for bit in range(bits.bit_length()) if bits >> bit & 1))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What was finished beyond a commit, as the short text that Kafka keeps with the commit.

A bitmap in Base64: bit i stands for the offset i + 1 places behind the committed one. Brokers take 4096 characters
(`offset.metadata.max.bytes`); the bound on what runs ahead keeps the text at a few hundred.
"""

import base64
import binascii

from investigator.delivery.ledger import CommitPosition

_FORM = "finished1:"
_MAX_CHARACTERS = 4096
_MAX_BITS = (_MAX_CHARACTERS - len(_FORM)) // 4 * 3 * 8


def encode(mark: CommitPosition) -> str:
    """Write down the finished offsets of a mark; empty where there are none. Those too far ahead are left out."""
    bits = sum(1 << offset - mark.offset - 1 for offset in mark.finished if offset - mark.offset <= _MAX_BITS)
    if not bits:
        return ""
    return _FORM + base64.b64encode(bits.to_bytes((bits.bit_length() + 7) // 8, "little")).decode("ascii")


def decode(offset: int, text: str) -> CommitPosition:
    """Read what `encode` wrote with the commit of an offset; a text of somebody else tells of no finished ones."""
    try:
        content = base64.b64decode(text.removeprefix(_FORM), validate=True) if text.startswith(_FORM) else b""
    except (binascii.Error, ValueError):
        content = b""
    bits = int.from_bytes(content, "little")
    return CommitPosition(
        offset, frozenset(offset + 1 + place for place in range(bits.bit_length()) if bits >> place & 1)
    )

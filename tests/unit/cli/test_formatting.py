# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dead letter is shown, whatever its timestamps and headers are."""

import json

import pytest

from investigator.cli.formatting import details, print_details, row, summary
from investigator.cli.masking import Masking
from investigator.delivery.dead_letters import ATTEMPTS, EXCEPTION, ORIGINAL, REPLAYS
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, replay_headers
from investigator.observability.redaction import Redactor

NAMES = [
    REPLAYS,
    ATTEMPTS,
    *(ORIGINAL + name for name in ("partition", "offset", "timestamp", "topic")),
    EXCEPTION + "message",
]


@pytest.mark.parametrize("timestamp", [0, -1, -(2**63), 1_600_000_000_000_000, 2**63 - 1])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, b"", b"\xff", b"\xff" * 4, b"\xff" * 8, b"\xff" * 2_000, b"7"])
def test_a_dead_letter_with_any_timestamp_and_header_is_shown(timestamp: int, name: str, content: bytes | None) -> None:
    """One odd dead letter must not hide the others, nor keep them from being replayed."""
    letter = DeadLetter(Origin("t-dlt", 0, 7, timestamp), b"\xff", b"\xff", ((name, content),))
    assert len(row(letter, None)) == 8
    assert json.dumps(summary(letter, None))
    print_details(details(letter, None, Masking((), Redactor())))
    assert replay_headers(letter, "group")

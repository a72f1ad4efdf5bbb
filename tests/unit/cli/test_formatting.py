# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dead letter is shown, whatever its timestamps and headers are."""

import json

import pytest

from investigator.cli.formatting import details, print_details, row, summary, without_large_parts
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
    dead_letter = DeadLetter(Origin("t-dlt", 0, 7, timestamp), b"\xff", b"\xff", ((name, content),))
    mask = Masking((), Redactor())
    assert len(row(dead_letter, None, mask)) == 8
    assert json.dumps(summary(without_large_parts(dead_letter, mask), None, mask))
    print_details(details(dead_letter, None, mask))
    assert replay_headers(dead_letter, "group")


@pytest.mark.parametrize(
    "error",
    [
        "login as bot with open-sesame failed",
        "https://bot:open-sesame@host/simple is unavailable",
        'refused: {"registry_password": "open-sesame", "image": "a"}',
        "INSERT failed [parameters: {'name': 'open-sesame'}]",
    ],
)
def test_a_list_masks_the_error_of_a_dead_letter_that_another_program_wrote(error: str) -> None:
    """The passwords of each value are looked for in the error of the same dead letter, however many others follow."""
    value = b'{"registry_password": "open-sesame"}'
    dead_letter = DeadLetter(Origin("t-dlt", 0, 7, 0), None, value, ((EXCEPTION + "message", error.encode()),))
    mask = Masking(("registry_password",), Redactor(remembered=20))
    listed = without_large_parts(dead_letter, mask)
    mask(b'{"registry_password": "a password of twenty characters or more"}')
    assert listed.value is None
    for shown in (str(row(listed, None, mask)), json.dumps(summary(listed, None, mask))):
        assert "open-sesame" not in shown
        assert "***" in shown

# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest

from investigator.preflight import PreflightError
from investigator.worker import run_checks


def test_failed_checks_end_the_process_with_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, the list of problems, and no traceback: that is what an operator sees in the pod's log."""

    async def check() -> None:
        raise PreflightError(["Kafka is away.", "The graph is away."])

    loop = asyncio.new_event_loop()
    with pytest.raises(SystemExit) as ended:
        run_checks(check, loop)
    loop.close()
    assert ended.value.code == "The worker can't start:\n  - Kafka is away.\n  - The graph is away."
    assert capsys.readouterr().out == ""


def test_checks_that_pass_let_the_start_go_on() -> None:
    """The worker's own event loop is still there for it."""
    passed = []

    async def check() -> None:
        passed.append(True)

    loop = asyncio.new_event_loop()
    run_checks(check, loop)
    assert passed
    assert not loop.is_closed()
    loop.close()

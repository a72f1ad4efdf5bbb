# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest

from investigator.preflight.checks import PreflightError
from investigator.streaming.worker import run_apart


def test_checks_run_in_a_loop_of_their_own() -> None:
    """Faust's loop, which does not run yet, is not touched."""
    loops = []

    async def check() -> None:
        loops.append(asyncio.get_running_loop())

    run_apart(check())
    assert loops[0].is_closed()


def test_an_error_of_a_check_reaches_the_caller() -> None:
    """The worker exits with its message."""

    async def check() -> None:
        raise PreflightError(["Kafka is unavailable.", "The graph is unavailable."])

    with pytest.raises(
        PreflightError, match=r"can't start:\n  - Kafka is unavailable\.\n  - The graph is unavailable\."
    ):
        run_apart(check())

# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest

from investigator.preflight.checks import PreflightError
from investigator.streaming.worker import run_apart


def test_checks_run_in_a_loop_of_their_own() -> None:
    """Faust's loop, which does not run yet, is left as it is."""
    loops = []

    async def check() -> None:
        loops.append(asyncio.get_running_loop())

    run_apart(check())
    assert loops[0].is_closed()


def test_what_checks_raise_reaches_the_caller() -> None:
    """The worker ends with what they say."""

    async def check() -> None:
        raise PreflightError(["Kafka is away.", "The graph is away."])

    with pytest.raises(PreflightError, match=r"The worker can't start:\n  - Kafka is away\.\n  - The graph is away\."):
        run_apart(check())

# SPDX-License-Identifier: GPL-3.0-or-later
import psycopg2
import pytest
from aiokafka.errors import KafkaConnectionError

from sandbox.play.runner import outcome_line, run_check
from sandbox.play.scenarios import SCENARIOS


@pytest.mark.parametrize("error", [psycopg2.OperationalError("it refused\nand more"), KafkaConnectionError("refused")])
async def test_an_error_of_a_server_during_a_check_is_reported_in_one_line(error: Exception) -> None:
    """The run then ends with this line instead of a traceback."""

    async def check() -> list[str]:
        raise error

    (text,) = await run_check(check)
    assert text.startswith(type(error).__name__)
    assert "\n" not in text


async def test_an_error_of_the_check_itself_is_raised() -> None:
    """Only errors of the broker and the database are reported as lines."""

    async def check() -> list[str]:
        raise KeyError

    with pytest.raises(KeyError):
        await run_check(check)


def test_the_outcome_line_says_closed_or_lists_the_unmet_conditions() -> None:
    """Each scenario has exactly one such line."""
    scenario = SCENARIOS[0]
    assert outcome_line(scenario, []).startswith("1 Knowledge increase: closed: ")
    assert outcome_line(scenario, ["click is not solved", "b"]) == (
        "1 Knowledge increase: not closed: click is not solved; b"
    )

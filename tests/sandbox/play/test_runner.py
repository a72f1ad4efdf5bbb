# SPDX-License-Identifier: GPL-3.0-or-later
import psycopg2
import pytest
from aiokafka.errors import KafkaConnectionError

from sandbox.play.runner import closing, guarded
from sandbox.play.scenarios import SCENARIOS


@pytest.mark.parametrize("error", [psycopg2.OperationalError("it refused\nand more"), KafkaConnectionError("refused")])
async def test_a_server_that_fails_is_what_is_lacking(error: Exception) -> None:
    """Guarantee: the failure of a server in the middle of a story ends in a line, not in a traceback."""

    async def check() -> list[str]:
        raise error

    (text,) = await guarded(check)
    assert text.startswith(type(error).__name__)
    assert "\n" not in text


async def test_a_fault_of_the_story_itself_is_not_hidden() -> None:
    """Guarantee: other errors go on as they are."""

    async def check() -> list[str]:
        raise KeyError

    with pytest.raises(KeyError):
        await guarded(check)


def test_a_loop_has_closed_or_what_it_lacks_is_told() -> None:
    """Guarantee: one line a scenario says which of both it is."""
    scenario = SCENARIOS[0]
    assert closing(scenario, []).startswith("1 Knowledge increase: closed: ")
    assert closing(scenario, ["click is not solved", "b"]) == (
        "1 Knowledge increase: not closed: click is not solved; b"
    )

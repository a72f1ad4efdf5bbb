# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.delivery.halts import FailedMessage
from tests.integration.cli.conftest import BASE_NAME, CommandLine

FAILED = FailedMessage(3, 41, 1_700_000_000_000, "PermanentError: no such project", 5)


async def test_a_topic_is_halted_and_resumed_without_any_worker(command_line: CommandLine) -> None:
    """The workers act on the halt log when they start."""
    assert await command_line("halt", BASE_NAME, "--by", "fridex") == f"{BASE_NAME} is halted.\n"
    shown = await command_line("halts")
    assert BASE_NAME in shown
    assert "fridex" in shown
    assert await command_line("resume", BASE_NAME) == f"{BASE_NAME} is resumed.\n"
    assert "No topic is halted" in await command_line("halts")


async def test_a_halt_lists_its_failed_messages_and_a_resume_applies_an_action_to_them(
    command_line: CommandLine,
) -> None:
    """An operator decides by position, error and attempts."""
    await command_line.halt_over(FAILED)
    [line] = [json.loads(line) for line in (await command_line("halts", "--json")).splitlines()]
    assert (line["topic"], line["halted"], line["failed_messages"]) == (BASE_NAME, True, [vars(FAILED)])
    shown = await command_line("halts")
    assert "[3]@41" in shown
    assert "no such project" in shown
    answer = await command_line("resume", BASE_NAME, "--action", "skip", "--by", "fridex", "--wait", "0")
    assert "[3]@41 is to be skipped; no worker has done so yet: PermanentError: no such project" in answer
    shown = await command_line("halts")
    assert "resumed: skip" in shown
    assert "fridex" in shown
    answer = await command_line("resume", BASE_NAME, "--action", "dead-letter", "--wait", "0")
    assert "[3]@41 is to be written to the dead-letter topic" in answer
    assert "resumed: dead-letter" in await command_line("halts")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b'["investigator-backend",["x"]]', b"{}"),
        (b"[" * 100_000, b"{}"),
        (b'["investigator-backend","thoth.repo-init"]', b'{"since": "now", "by": "x"}'),
        (b'["investigator-backend","thoth.repo-init"]', b'{"since": NaN, "by": "x"}'),
        (b'["investigator-backend","thoth.repo-init"]', b'{"since": 1e300, "by": "x"}'),
        (b'["investigator-backend",null]', None),
    ],
    ids=lambda content: repr(content)[:40],
)
async def test_an_odd_record_of_the_halt_log_ends_no_command(
    command_line: CommandLine, key: bytes, value: bytes | None
) -> None:
    """Another producer may write anything into the topic."""
    await command_line("halts")
    await command_line.kafka.send(command_line.halts_topic, value, key=key)
    await command_line("halt", BASE_NAME)
    assert BASE_NAME in await command_line("halts")


async def test_halting_or_resuming_twice_reports_the_current_state(command_line: CommandLine) -> None:
    """Two operators do not undo each other's work."""
    assert await command_line("resume", BASE_NAME) == f"{BASE_NAME} is not halted.\n"
    await command_line("halt", BASE_NAME, "--by", "fridex")
    assert "by fridex" in await command_line("halt", BASE_NAME, "--by", "another")


async def test_halts_of_another_group_are_not_listed(command_line: CommandLine) -> None:
    """Groups share the halt log, not the halts."""
    await command_line("halt", BASE_NAME)
    shown = await command_line("halts", KAFKA_CONSUMER_GROUP_ID="another")
    assert "No topic is halted for the consumer group another" in shown


async def test_an_unknown_topic_or_action_is_refused_with_the_valid_ones(command_line: CommandLine) -> None:
    """The exit status is 1 for an unknown topic and 2 for an invalid option, as in every command."""
    assert BASE_NAME in await command_line("halt", "thoth.nothing", status=1)
    assert "dead-letter" in await command_line("resume", BASE_NAME, "--action", "drop", status=2)


async def test_an_unavailable_broker_is_an_error_that_names_it(command_line: CommandLine) -> None:
    """The commands do not claim a change that was not written."""
    for command in (["halts"], ["halt", BASE_NAME], ["resume", BASE_NAME]):
        shown = await command_line(*command, status=1, KAFKA_BOOTSTRAP_SERVERS="localhost:1")
        assert "Kafka at localhost:1 can't be reached" in shown

# SPDX-License-Identifier: GPL-3.0-or-later
import json

from investigator.delivery.halts import FailedMessage
from tests.integration.cli.conftest import BASE_NAME, CommandLine

CAUSE = FailedMessage(3, 41, 1_700_000_000_000, "PermanentError: no such project", 5)


async def test_a_topic_is_halted_and_resumed_without_any_worker(command_line: CommandLine) -> None:
    """What is decided now holds when the workers come back."""
    assert await command_line("halt", BASE_NAME, "--by", "fridex") == f"{BASE_NAME} is halted.\n"
    shown = await command_line("halts")
    assert BASE_NAME in shown
    assert "fridex" in shown
    assert await command_line("resume", BASE_NAME) == f"{BASE_NAME} is resumed.\n"
    assert "No topic is halted" in await command_line("halts")


async def test_a_halt_names_its_messages_and_a_resume_decides_about_them(command_line: CommandLine) -> None:
    """Cause, error and attempts are what the decision hangs on."""
    await command_line.give_up(CAUSE)
    [line] = [json.loads(line) for line in (await command_line("halts", "--json")).splitlines()]
    assert (line["topic"], line["halted"], line["causes"]) == (BASE_NAME, True, [vars(CAUSE)])
    shown = await command_line("halts")
    assert "[3]@41" in shown
    assert "no such project" in shown
    assert "[3]@41 is skipped" in await command_line("resume", BASE_NAME, "--action", "skip", "--by", "fridex")
    shown = await command_line("halts", "--all")
    assert "resumed: skip" in shown
    assert "fridex" in shown


async def test_what_is_so_already_is_said(command_line: CommandLine) -> None:
    """Two operators at once do not undo each other's work."""
    assert await command_line("resume", BASE_NAME) == f"{BASE_NAME} is not halted.\n"
    await command_line("halt", BASE_NAME, "--by", "fridex")
    assert "by fridex" in await command_line("halt", BASE_NAME, "--by", "somebody")


async def test_halts_of_another_group_are_not_ours(command_line: CommandLine) -> None:
    """Groups share the log, not the halts."""
    await command_line("halt", BASE_NAME)
    shown = await command_line("halts", KAFKA_CONSUMER_GROUP_ID="another")
    assert "No topic is halted for the consumer group another" in shown


async def test_wrong_words_are_refused_with_the_right_ones(command_line: CommandLine) -> None:
    """An unknown topic is status 1, an unknown option of a command status 2, as everywhere."""
    assert BASE_NAME in await command_line("halt", "thoth.nothing", status=1)
    assert "dead-letter" in await command_line("resume", BASE_NAME, "--action", "drop", status=2)


async def test_a_broker_that_is_not_there_is_named(command_line: CommandLine) -> None:
    """Nothing is said to be halted that is not."""
    for command in (["halts"], ["halt", BASE_NAME], ["resume", BASE_NAME]):
        shown = await command_line(*command, status=1, KAFKA_BOOTSTRAP_SERVERS="localhost:1")
        assert "Kafka at localhost:1 can't be reached" in shown

# SPDX-License-Identifier: GPL-3.0-or-later
import json

from investigator.delivery.errors import PermanentError, TemporaryError
from sandbox.broker import Broker
from tests.integration.cli.conftest import BASE_NAME, CommandLine, Told

REPOSITORY = {
    "component_name": "user-api",
    "service_version": "1.0.0",
    "project_url": "https://github.com/thoth-station/a",
}
EXTRACT = "thoth.package-extract-trigger"


async def _listed(command_line: CommandLine, *arguments: object) -> list[dict[str, object]]:
    lines = (await command_line("dead-letters", "list", "--json", *arguments)).splitlines()
    return [json.loads(line) for line in lines]


async def test_a_list_says_where_each_message_came_from_and_why_it_was_given_up(command_line: CommandLine) -> None:
    """What an operator needs to decide is on one line a dead letter."""
    first = await command_line.bury(REPOSITORY, Told(PermanentError("no such project"), attempts=1))
    second = await command_line.bury(REPOSITORY, Told(TemporaryError("the cluster is away"), attempts=5), partition=1)
    shown = await command_line("dead-letters", "list", BASE_NAME)
    assert f"{command_line.twin}: 2" in shown
    for origin, error, attempts in ((first, "no such project", 1), (second, "the cluster is away", 5)):
        line = next(line for line in shown.splitlines() if error in line)
        cells = line.split()
        assert cells[0] == str(origin.partition)
        assert f"[{origin.partition}]@{origin.offset}" in cells
        assert cells[4:6] == [str(attempts), "0"]


async def test_a_list_for_machines_is_one_object_a_line(command_line: CommandLine) -> None:
    """Scripts read what people read, and where a thing is unknown, null."""
    origin = await command_line.bury(REPOSITORY)
    [letter] = await _listed(command_line)
    assert letter["topic"] == command_line.twin
    assert (letter["partition"], letter["offset"]) == (0, 0)
    assert letter["original"] == {
        "topic": command_line.topic,
        "partition": 0,
        "offset": origin.offset,
        "timestamp": letter["original"]["timestamp"],  # type: ignore[index]  # compared as a whole
    }
    assert letter["error_class"] == "investigator.delivery.errors.PermanentError"
    assert letter["replayed"] is None


async def test_a_list_holds_every_dead_letter(command_line: CommandLine) -> None:
    """The broker's word for the end of a topic may lag behind; what is in it is found all the same."""
    for number in range(120):
        await command_line.bury({**REPOSITORY, "job_id": str(number)}, partition=number % 2)
    letters = await _listed(command_line, "--limit", 0)
    assert len(letters) == 120
    shown = await command_line("dead-letters", "list", "--limit", 10)
    assert f"{command_line.twin}: 120, the latest 10 of them" in shown


async def test_a_list_can_be_narrowed(command_line: CommandLine) -> None:
    """By place, by error, by time and by what the message holds."""
    await command_line.bury({**REPOSITORY, "job_id": "one"}, Told(PermanentError("refused: 422")))
    await command_line.bury({**REPOSITORY, "job_id": "two"}, Told(PermanentError("refused: 403")), partition=1)
    for arguments in (["--partition", 1], ["--error", "REFUSED: 403"], ["--field", "job_id=two"]):
        [letter] = await _listed(command_line, *arguments)
        assert letter["error"] == "refused: 403", arguments
    assert len(await _listed(command_line, "--since", "1h")) == 2
    assert len(await _listed(command_line, "--until", "1h")) == 0
    assert len(await _listed(command_line, "--partition", 0, "--offset", "0-")) == 1


async def test_an_offset_beyond_the_end_is_no_dead_letter(command_line: CommandLine) -> None:
    """A client that is sent back to the start for an offset out of range must not show what lies there."""
    await command_line.bury(REPOSITORY)
    assert await _listed(command_line, "--partition", 0, "--offset", "500-") == []


async def test_topics_without_any_dead_letter_are_no_error(command_line: CommandLine) -> None:
    """A topic gets its twin at its first failure."""
    assert await command_line("dead-letters", "list", "thoth.adviser-trigger") == "No dead letter.\n"
    assert await command_line("dead-letters", "list") == "No dead letter.\n"


async def test_one_dead_letter_is_shown_whole(command_line: CommandLine) -> None:
    """Value, key, headers and the trace of the error."""
    told = Told(key=b"thoth-station/a", headers=(("trace-id", b"4711"), ("none", None)))
    origin = await command_line.bury(REPOSITORY, told)
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 0, "--offset", 0)
    assert f"{command_line.topic}[0]@{origin.offset}" in shown
    assert '"project_url": "https://github.com/thoth-station/a"' in shown
    assert "trace-id: 4711" in shown
    assert "none: -" in shown
    assert "kafka_dlt-original-partition: 0" in shown
    assert "thoth-station/a" in shown
    assert "PermanentError: no such project" in shown


async def test_a_dead_letter_may_be_named_by_its_topic(command_line: CommandLine) -> None:
    """An operator pastes what he saw in a list or a log."""
    await command_line.bury(REPOSITORY)
    for name in (command_line.topic, command_line.twin):
        await command_line("dead-letters", "show", name, "--partition", 0, "--offset", 0)


async def test_no_password_is_shown(command_line: CommandLine, broker: Broker) -> None:
    """Neither in the value nor in headers nor in what the error says."""
    topic = command_line.topic.replace(BASE_NAME, EXTRACT)
    await broker.create_topics([topic, f"{topic}-dlt"])
    secret = 'correct horse "battery" staple'
    value = {"image": "quay.io/a/b", "environment_type": "runtime", "registry_password": secret}
    headers = (
        ("kafka_dlt-original-topic", topic.encode()),
        ("kafka_dlt-exception-message", f"skopeo --creds user:{secret} failed".encode()),
    )
    await command_line.kafka.send(f"{topic}-dlt", value, headers=headers)
    where = (EXTRACT, "--partition", 0, "--offset", 0)
    for options in ((), ("--json",)):
        shown = await command_line("dead-letters", "show", *where, *options)
        assert "battery" not in shown
        assert "quay.io/a/b" in shown
        assert "skopeo --creds user:*** failed" in shown


async def test_what_a_message_holds_can_not_move_the_cursor(command_line: CommandLine) -> None:
    """A message is what anybody sent: on a terminal it stays text."""
    await command_line.bury(b"\x1b[2J\x9b31m not json", Told(PermanentError("bad\x1b[2J\nvalue"), key=b"\x1b]0;t\x07"))
    for arguments in (["list"], ["show", BASE_NAME, "--partition", 0, "--offset", 0]):
        shown = await command_line("dead-letters", *arguments)
        assert not [each for each in shown if not (each.isprintable() or each == "\n")]


async def test_a_dead_letter_that_is_not_there_is_an_error(command_line: CommandLine) -> None:
    """Nothing is shown in its stead."""
    await command_line.bury(REPOSITORY)
    for partition, offset in ((0, 1), (1, 0), (7, 0)):
        where = ("--partition", partition, "--offset", offset)
        assert "no dead letter at" in await command_line("dead-letters", "show", BASE_NAME, *where, status=1)


async def test_a_tombstone_and_a_record_of_somebody_else_are_shown_too(command_line: CommandLine) -> None:
    """Whatever lies there, the commands do not fall over it."""
    await command_line.bury(None, Told(key=b"key"))
    await command_line.kafka.send(command_line.twin, b"\xff", partition=1, headers=[("kafka_dlt-original-offset", b"")])
    assert [letter["original"] is None for letter in await _listed(command_line)] == [False, True]
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 0, "--offset", 0)
    assert "tombstone" in shown
    await command_line("dead-letters", "show", BASE_NAME, "--partition", 1, "--offset", 0)


async def test_an_unknown_topic_is_named_with_those_that_are_known(command_line: CommandLine) -> None:
    """A slip of the pen is put right without a look into the documentation."""
    shown = await command_line("dead-letters", "list", "thoth.repo-initt", status=1)
    assert "thoth.repo-initt" in shown
    assert BASE_NAME in shown.split()


async def test_a_broker_that_is_not_there_is_named(command_line: CommandLine) -> None:
    """One sentence with what to look at, and no traceback."""
    shown = await command_line("dead-letters", "list", status=1, KAFKA_BOOTSTRAP_SERVERS="localhost:1")
    assert "Kafka at localhost:1 can't be reached" in shown
    assert "Traceback" not in shown


async def test_origins_are_not_mixed_up(command_line: CommandLine) -> None:
    """Several topics are read side by side; each dead letter stays with its own."""
    origins = [await command_line.bury(REPOSITORY, partition=number % 2) for number in range(6)]
    listed = [(letter["original"]["partition"], letter["original"]["offset"]) for letter in await _listed(command_line)]  # type: ignore[index]  # they all have one
    assert sorted(listed) == sorted((each.partition, each.offset) for each in origins)

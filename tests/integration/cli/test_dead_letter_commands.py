# SPDX-License-Identifier: GPL-3.0-or-later
import json

from investigator.delivery.errors import PermanentError, TemporaryError
from sandbox.broker import Broker
from tests.integration.cli.conftest import BASE_NAME, CommandLine, FailureDetails

REPOSITORY = {
    "component_name": "user-api",
    "service_version": "1.0.0",
    "project_url": "https://github.com/thoth-station/a",
}
EXTRACT = "thoth.package-extract-trigger"


async def _listed(command_line: CommandLine, *arguments: object) -> list[dict[str, object]]:
    lines = (await command_line("dead-letters", "list", "--json", *arguments)).splitlines()
    return [json.loads(line) for line in lines]


async def test_a_list_shows_the_origin_and_the_error_of_each_message(command_line: CommandLine) -> None:
    """Each dead letter is one line with the facts on which an operator decides."""
    first = await command_line.add_dead_letter(
        REPOSITORY, FailureDetails(PermanentError("no such project"), attempts=1)
    )
    second = await command_line.add_dead_letter(
        REPOSITORY, FailureDetails(TemporaryError("the cluster is unavailable"), attempts=5), partition=1
    )
    shown = await command_line("dead-letters", "list", BASE_NAME)
    assert f"{command_line.dead_letter_topic}: 2" in shown
    for origin, error, attempts in ((first, "no such project", 1), (second, "the cluster is unavailable", 5)):
        line = next(line for line in shown.splitlines() if error in line)
        cells = line.split()
        assert cells[0] == str(origin.partition)
        assert f"[{origin.partition}]@{origin.offset}" in cells
        assert cells[4:6] == [str(attempts), "0"]


async def test_a_json_list_is_one_object_per_line(command_line: CommandLine) -> None:
    """It has the same facts as the table, with null for unknown ones."""
    origin = await command_line.add_dead_letter(REPOSITORY)
    [dead_letter] = await _listed(command_line)
    assert dead_letter["topic"] == command_line.dead_letter_topic
    assert (dead_letter["partition"], dead_letter["offset"]) == (0, 0)
    assert dead_letter["original"] == {
        "topic": command_line.topic,
        "partition": 0,
        "offset": origin.offset,
        "timestamp": dead_letter["original"]["timestamp"],  # type: ignore[index]  # compared as a whole
    }
    assert dead_letter["error_class"] == "investigator.delivery.errors.PermanentError"
    assert dead_letter["replayed"] is None


async def test_a_list_contains_every_dead_letter(command_line: CommandLine) -> None:
    """The end offset that the broker reports may be too low for a moment; the command reads to the real end."""
    for number in range(120):
        await command_line.add_dead_letter({**REPOSITORY, "job_id": str(number)}, partition=number % 2)
    dead_letters = await _listed(command_line, "--limit", 0)
    assert len(dead_letters) == 120
    shown = await command_line("dead-letters", "list", "--limit", 10)
    assert f"{command_line.dead_letter_topic}: 120, the latest 10 of them" in shown


async def test_a_list_can_be_filtered(command_line: CommandLine) -> None:
    """By position, error, time and fields of the message."""
    await command_line.add_dead_letter({**REPOSITORY, "job_id": "one"}, FailureDetails(PermanentError("refused: 422")))
    await command_line.add_dead_letter(
        {**REPOSITORY, "job_id": "two"}, FailureDetails(PermanentError("refused: 403")), partition=1
    )
    for arguments in (["--partition", 1], ["--error", "REFUSED: 403"], ["--field", "job_id=two"]):
        [dead_letter] = await _listed(command_line, *arguments)
        assert dead_letter["error"] == "refused: 403", arguments
    assert len(await _listed(command_line, "--since", "1h")) == 2
    assert len(await _listed(command_line, "--until", "1h")) == 0
    assert len(await _listed(command_line, "--partition", 0, "--offset", "0-")) == 1


async def test_an_offset_after_the_end_matches_no_dead_letter(command_line: CommandLine) -> None:
    """A consumer that is reset to the start, because its offset is out of range, must not yield earlier records."""
    await command_line.add_dead_letter(REPOSITORY)
    assert await _listed(command_line, "--partition", 0, "--offset", "500-") == []


async def test_a_topic_without_dead_letters_is_not_an_error(command_line: CommandLine) -> None:
    """The dead-letter topic is created with the first dead letter."""
    assert await command_line("dead-letters", "list", "thoth.adviser-trigger") == "No dead letter.\n"
    assert await command_line("dead-letters", "list") == "No dead letter.\n"


async def test_all_details_of_a_dead_letter_are_shown(command_line: CommandLine) -> None:
    """Value, key, headers and the stack trace of the error."""
    details = FailureDetails(key=b"thoth-station/a", headers=(("trace-id", b"4711"), ("none", None)))
    origin = await command_line.add_dead_letter(REPOSITORY, details)
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 0, "--offset", 0)
    assert f"{command_line.topic}[0]@{origin.offset}" in shown
    assert '"project_url": "https://github.com/thoth-station/a"' in shown
    assert "trace-id: 4711" in shown
    assert "none: -" in shown
    assert "kafka_dlt-original-partition: 0" in shown
    assert "thoth-station/a" in shown
    assert "PermanentError: no such project" in shown


async def test_a_dead_letter_can_be_addressed_by_any_name_of_its_topic(command_line: CommandLine) -> None:
    """An operator pastes the name from a list or a log."""
    await command_line.add_dead_letter(REPOSITORY)
    for name in (command_line.topic, command_line.dead_letter_topic):
        await command_line("dead-letters", "show", name, "--partition", 0, "--offset", 0)


async def test_no_password_is_shown(command_line: CommandLine, broker: Broker) -> None:
    """Neither in the value nor in the headers nor in the error."""
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


async def test_control_characters_of_a_message_do_not_reach_the_terminal(command_line: CommandLine) -> None:
    """A message may contain anything; on a terminal it stays text."""
    await command_line.add_dead_letter(
        b"\x1b[2J\x9b31m not json", FailureDetails(PermanentError("bad\x1b[2J\nvalue"), key=b"\x1b]0;t\x07")
    )
    for arguments in (["list"], ["show", BASE_NAME, "--partition", 0, "--offset", 0]):
        shown = await command_line("dead-letters", *arguments)
        assert not [each for each in shown if not (each.isprintable() or each == "\n")]


async def test_showing_an_offset_without_a_dead_letter_is_an_error(command_line: CommandLine) -> None:
    """The command shows no other dead letter instead."""
    await command_line.add_dead_letter(REPOSITORY)
    for partition, offset in ((0, 1), (1, 0), (7, 0)):
        where = ("--partition", partition, "--offset", offset)
        assert "no dead letter at" in await command_line("dead-letters", "show", BASE_NAME, *where, status=1)


async def test_tombstones_and_records_of_other_producers_are_shown_too(command_line: CommandLine) -> None:
    """The commands do not fail on records that no worker wrote."""
    await command_line.add_dead_letter(None, FailureDetails(key=b"key"))
    await command_line.kafka.send(
        command_line.dead_letter_topic, b"\xff", partition=1, headers=[("kafka_dlt-original-offset", b"")]
    )
    assert [dead_letter["original"] is None for dead_letter in await _listed(command_line)] == [False, True]
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 0, "--offset", 0)
    assert "tombstone" in shown
    await command_line("dead-letters", "show", BASE_NAME, "--partition", 1, "--offset", 0)


async def test_an_unknown_topic_is_an_error_that_lists_the_known_ones(command_line: CommandLine) -> None:
    """An operator corrects a typing error without the documentation."""
    shown = await command_line("dead-letters", "list", "thoth.repo-initt", status=1)
    assert "thoth.repo-initt" in shown
    assert BASE_NAME in shown.split()


async def test_an_unavailable_broker_is_an_error_that_names_it(command_line: CommandLine) -> None:
    """The error is one sentence with the settings to check, without a traceback."""
    shown = await command_line("dead-letters", "list", status=1, KAFKA_BOOTSTRAP_SERVERS="localhost:1")
    assert "Kafka at localhost:1 can't be reached" in shown
    assert "Traceback" not in shown


async def test_each_dead_letter_keeps_its_own_origin(command_line: CommandLine) -> None:
    """Several partitions are read concurrently."""
    origins = [await command_line.add_dead_letter(REPOSITORY, partition=number % 2) for number in range(6)]
    listed = [
        (dead_letter["original"]["partition"], dead_letter["original"]["offset"])  # type: ignore[index]  # they all have one
        for dead_letter in await _listed(command_line)
    ]
    assert sorted(listed) == sorted((each.partition, each.offset) for each in origins)

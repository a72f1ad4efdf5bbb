# SPDX-License-Identifier: GPL-3.0-or-later
import time
from functools import partial
from typing import Any

from investigator.delivery.dead_letters import Headers, origin_of_replay
from investigator.delivery.errors import PermanentError
from investigator.delivery.origin import Origin
from investigator.delivery.replay import Verdict
from investigator.delivery.replay_proof import Record, ReplayProof
from sandbox.broker import Broker
from tests.integration.cli.conftest import BASE_NAME, ENVIRONMENT, CommandLine, FailureDetails

REPLAYS = "investigator-replays"
REPLAYED_FOR = "investigator-replayed-for"
PROOF = "investigator-replay-proof"


def _replay(*arguments: object) -> tuple[object, ...]:
    return ("dead-letters", "replay", BASE_NAME, *arguments)


def _as_headers(record: Any) -> Headers:  # noqa: ANN401  aiokafka's records have no public type of their headers
    return tuple(record.headers)


async def test_a_replay_is_identical_to_the_failed_message(command_line: CommandLine) -> None:
    """Same key, value, headers and partition, byte for byte; its origin is that of the first message."""
    details = FailureDetails(key=b"\x00key", headers=(("trace-id", b"\xff\x00"), ("none", None), ("empty", b"")))
    origin = await command_line.add_dead_letter(b"{ not json \xff", details, partition=1)
    shown = await command_line(*_replay("--partition", 1, "--offset", 0))
    assert "sent 1 of 1" in shown
    [replayed] = await command_line.replays(1)
    assert (replayed.key, replayed.value, replayed.partition) == (b"\x00key", b"{ not json \xff", 1)
    assert origin_of_replay(_as_headers(replayed)) == origin
    headers = dict(replayed.headers)
    assert (headers["trace-id"], headers["none"], headers["empty"]) == (b"\xff\x00", None, b"")
    assert headers[REPLAYS] == b"\x00\x00\x00\x01"
    assert headers[REPLAYED_FOR] == b"investigator-backend"
    assert not [name for name in headers if "exception" in name]


async def test_a_replay_proves_to_workers_that_it_is_one(command_line: CommandLine) -> None:
    """Only the command has the key; a replay for all groups proves that, too."""
    await command_line.add_dead_letter({"number": 1}, FailureDetails(key=b"key", headers=(("trace-id", b"1"),)))
    await command_line(*_replay("--all"))
    await command_line(*_replay("--all", "--again", "--any-group"))
    for replay in await command_line.replays(2):
        record = Record(command_line.topic, replay.key, replay.value, _as_headers(replay))
        assert ReplayProof(ENVIRONMENT["THOTH_INVESTIGATOR_REPLAY_KEY"]).problem(record) == ""


async def test_without_a_key_nothing_is_replayed_unless_as_new(command_line: CommandLine) -> None:
    """Workers would run steps again that have succeeded, so the operator has to accept that."""
    no_key = partial(command_line, THOTH_INVESTIGATOR_REPLAY_KEY="")  # an empty variable counts as absent
    await command_line.add_dead_letter({})
    assert "1 to be sent" in await no_key(*_replay("--all", "--dry-run"))
    assert "THOTH_INVESTIGATOR_REPLAY_KEY is not set" in await no_key(*_replay("--all"), status=1)
    await command_line.replays(0)
    assert "sent 1 of 1" in await no_key(*_replay("--all", "--as-new"))
    [replay] = await command_line.replays(1)
    assert PROOF not in dict(replay.headers)


async def test_a_dead_letter_is_replayed_once(command_line: CommandLine) -> None:
    """A repeated command, after a crash or by a second operator, changes nothing and reports the earlier replay."""
    await command_line.add_dead_letter({"number": 1})
    await command_line.add_dead_letter({"number": 2})
    await command_line(*_replay("--field", "number=1"))
    shown = await command_line(*_replay("--all"))
    assert f"1 {Verdict.SENT_BEFORE.value}; --again replays them once more" in shown
    assert "sent 1 of 1" in shown
    shown = await command_line(*_replay("--all"))
    assert f"2 {Verdict.SENT_BEFORE.value}" in shown
    assert " of " not in shown
    await command_line.replays(2)


async def test_again_replays_a_dead_letter_once_more(command_line: CommandLine) -> None:
    """An operator needs it if the cause of the failure was not removed."""
    await command_line.add_dead_letter({})
    await command_line(*_replay("--all", "--by", "fridex"))
    assert "sent 1 of 1" in await command_line(*_replay("--all", "--again"))
    await command_line.replays(2)


async def test_a_replay_is_shown_with_time_operator_and_position(command_line: CommandLine) -> None:
    """The position is that of the replayed message in the original topic."""
    await command_line.add_dead_letter({}, partition=1)
    await command_line(*_replay("--all", "--by", "fridex"))
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 1, "--offset", 0)
    assert "by fridex, now at [1]@1" in shown


async def test_a_dry_run_shows_all_decisions_and_writes_nothing(command_line: CommandLine) -> None:
    """It does not create the replay log either."""
    await command_line.add_dead_letter({}, FailureDetails(group="another"))
    await command_line.add_dead_letter({})
    for _ in range(2):
        shown = await command_line(*_replay("--all", "--dry-run"))
        assert f"1 {Verdict.SEND.value}" in shown
        assert f"1 {Verdict.OTHER_GROUP.value}" in shown
        assert "[0]@1" in shown
    await command_line.replays(0)
    assert command_line.topic.replace(BASE_NAME, "thoth.investigator.replays") not in await command_line.topics()


async def test_only_matching_dead_letters_are_replayed(command_line: CommandLine) -> None:
    """All criteria apply together, and each match is sent once."""
    for number in range(6):
        error = PermanentError("timeout" if number % 2 else "refused")
        await command_line.add_dead_letter({"number": number}, FailureDetails(error))
    assert "sent 2 of 2" in await command_line(*_replay("--partition", 0, "--offset", "1-4", "--error", "timeout"))
    replayed = await command_line.replays(2)
    assert [record.value for record in replayed] == [b'{"number": 1}', b'{"number": 3}']


async def test_a_replay_without_criteria_requires_all(command_line: CommandLine) -> None:
    """An accidental command does not send ten thousand messages."""
    await command_line.add_dead_letter({})
    assert "--all" in await command_line(*_replay(), status=2)
    await command_line.replays(0)


async def test_messages_with_the_same_key_keep_their_order_and_partition(command_line: CommandLine) -> None:
    """Handlers depend on the order of messages with the same key."""
    for number in range(50):
        await command_line.add_dead_letter({"number": number}, FailureDetails(key=b"same"), partition=1)
    await command_line(*_replay("--all"))
    replayed = await command_line.replays(50)
    assert [record.value for record in replayed] == [b'{"number": %d}' % number for number in range(50)]
    assert {record.partition for record in replayed} == {1}


async def test_a_rate_limits_the_messages_per_second(command_line: CommandLine) -> None:
    """The cluster needs time to process them."""
    for _ in range(5):
        await command_line.add_dead_letter({})
    began = time.monotonic()
    await command_line(*_replay("--all", "--rate", 4))
    assert time.monotonic() - began > 1.0
    await command_line.replays(5)


async def test_a_message_is_replayed_at_most_max_replays_times(command_line: CommandLine) -> None:
    """Its headers have the count, and an operator can raise the maximum."""
    await command_line.add_dead_letter({}, FailureDetails(headers=((REPLAYS, b"\x00\x00\x00\x03"),)))
    assert f"1 {Verdict.TOO_OFTEN.value}" in await command_line(*_replay("--all"))
    await command_line.replays(1)  # the message itself, which failed after its third replay
    assert "sent 1 of 1" in await command_line(*_replay("--all", "--max-replays", 4))
    assert dict((await command_line.replays(2))[-1].headers)[REPLAYS] == b"\x00\x00\x00\x04"


async def test_dead_letters_of_another_group_are_skipped_without_any_group(command_line: CommandLine) -> None:
    """Groups share the topics; each replays its own dead letters unless an operator replays them for all groups."""
    await command_line.add_dead_letter({}, FailureDetails(group="renamed-since"))
    shown = await command_line(*_replay("--all"))
    assert f"1 {Verdict.OTHER_GROUP.value}" in shown
    assert "KAFKA_CONSUMER_GROUP_ID" in shown
    await command_line.replays(0)
    await command_line(*_replay("--all", "--any-group"))
    [replayed] = await command_line.replays(1)
    assert REPLAYED_FOR not in dict(replayed.headers)


async def test_a_replay_of_all_topics_sends_each_message_to_its_own_topic(
    command_line: CommandLine, broker: Broker
) -> None:
    """After an outage of all dependencies, one command replays everything."""
    other = command_line.topic.replace(BASE_NAME, "thoth.adviser-trigger")
    await broker.create_topics([other, f"{other}-dlt"])
    await command_line.add_dead_letter({})
    origin = Origin(other, 0, 0, 1_700_000_000_000)
    await command_line.add_dead_letter_of(origin, {"adviser": True})
    shown = await command_line("dead-letters", "replay", "--all")
    assert shown.count("sent 1 of 1") == 2
    await command_line.replays(1)
    [replayed] = await command_line.kafka.read(other, 1)
    assert origin_of_replay(_as_headers(replayed)) == origin


async def test_a_replay_without_a_match_is_not_an_error(command_line: CommandLine) -> None:
    """A scheduled command often finds nothing to replay."""
    await command_line.add_dead_letter({})
    assert await command_line(*_replay("--error", "timeout")) == "No dead letter matches.\n"


async def test_a_record_of_another_producer_is_not_replayed(command_line: CommandLine) -> None:
    """Without an origin its original topic is unknown."""
    await command_line.kafka.send(command_line.dead_letter_topic, b"hello", partition=0)
    assert f"1 {Verdict.UNKNOWN_ORIGIN.value}" in await command_line(*_replay("--all"))
    await command_line.replays(0)


async def test_dead_letters_of_a_recreated_topic_can_be_replayed(command_line: CommandLine) -> None:
    """Their offsets start at zero again, and are not mistaken for those of earlier replays."""
    await command_line.add_dead_letter({})
    await command_line(*_replay("--all"))
    await command_line.recreate(command_line.dead_letter_topic)
    await command_line.add_dead_letter({})
    assert "sent 1 of 1" in await command_line(*_replay("--all"))

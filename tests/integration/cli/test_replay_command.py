# SPDX-License-Identifier: GPL-3.0-or-later
import time
from typing import Any

from investigator.delivery.dead_letters import Headers, origin_of_replay
from investigator.delivery.errors import PermanentError
from investigator.delivery.origin import Origin
from sandbox.broker import Broker
from tests.integration.cli.conftest import BASE_NAME, CommandLine, Told

REPLAYS = "investigator-replays"
FOR = "investigator-replayed-for"


def _replay(*arguments: object) -> tuple[object, ...]:
    return ("dead-letters", "replay", BASE_NAME, *arguments)


def _as_headers(record: Any) -> Headers:  # noqa: ANN401  aiokafka's records have no public type of their headers
    return tuple(record.headers)


async def test_a_replay_is_the_message_that_was_given_up(command_line: CommandLine) -> None:
    """The same key, value and headers, byte for byte, in the same partition, known by the origin of the first one."""
    told = Told(key=b"\x00key", headers=(("trace-id", b"\xff\x00"), ("none", None), ("empty", b"")))
    origin = await command_line.bury(b"{ not json \xff", told, partition=1)
    shown = await command_line(*_replay("--partition", 1, "--offset", 0))
    assert "sent 1 of 1" in shown
    [replayed] = await command_line.sent_again(1)
    assert (replayed.key, replayed.value, replayed.partition) == (b"\x00key", b"{ not json \xff", 1)
    assert origin_of_replay(_as_headers(replayed)) == origin
    headers = dict(replayed.headers)
    assert (headers["trace-id"], headers["none"], headers["empty"]) == (b"\xff\x00", None, b"")
    assert headers[REPLAYS] == b"\x00\x00\x00\x01"
    assert headers[FOR] == b"investigator-backend"
    assert not [name for name in headers if "exception" in name]


async def test_what_was_replayed_is_not_sent_again(command_line: CommandLine) -> None:
    """A command that is repeated, after a crash or by a second operator, does no harm, and says what was done."""
    await command_line.bury({"number": 1})
    await command_line.bury({"number": 2})
    await command_line(*_replay("--field", "number=1"))
    shown = await command_line(*_replay("--all"))
    assert "1 sent again before; --again sends them once more" in shown
    assert "sent 1 of 1" in shown
    shown = await command_line(*_replay("--all"))
    assert "2 sent again before" in shown
    assert " of " not in shown
    await command_line.sent_again(2)


async def test_what_was_replayed_is_sent_again_on_demand(command_line: CommandLine) -> None:
    """Where the cause was not put right after all, there is a second chance."""
    await command_line.bury({})
    await command_line(*_replay("--all", "--by", "fridex"))
    assert "sent 1 of 1" in await command_line(*_replay("--all", "--again"))
    await command_line.sent_again(2)


async def test_a_list_tells_what_was_replayed(command_line: CommandLine) -> None:
    """When, by whom, and where the replay lies."""
    await command_line.bury({}, partition=1)
    await command_line(*_replay("--all", "--by", "fridex"))
    shown = await command_line("dead-letters", "show", BASE_NAME, "--partition", 1, "--offset", 0)
    assert "by fridex, is now at [1]@1" in shown


async def test_a_dry_run_says_all_and_does_nothing(command_line: CommandLine) -> None:
    """Not even the log of replays is made."""
    await command_line.bury({}, Told(group="another"))
    await command_line.bury({})
    for _ in range(2):
        shown = await command_line(*_replay("--all", "--dry-run"))
        assert "1 to be sent" in shown
        assert "1 failed in another group" in shown
        assert "[0]@1" in shown
    await command_line.sent_again(0)
    assert command_line.topic.replace(BASE_NAME, "thoth.investigator.replays") not in await command_line.topics()


async def test_a_range_and_a_filter_pick(command_line: CommandLine) -> None:
    """Exactly those that are meant are sent, each once."""
    for number in range(6):
        error = PermanentError("timeout" if number % 2 else "refused")
        await command_line.bury({"number": number}, Told(error))
    assert "sent 2 of 2" in await command_line(*_replay("--partition", 0, "--offset", "1-4", "--error", "timeout"))
    replayed = await command_line.sent_again(2)
    assert [record.value for record in replayed] == [b'{"number": 1}', b'{"number": 3}']


async def test_everything_has_to_be_asked_for(command_line: CommandLine) -> None:
    """A slip with the return key does not send ten thousand messages."""
    await command_line.bury({})
    assert "--all" in await command_line(*_replay(), status=2)
    await command_line.sent_again(0)


async def test_order_is_kept_within_a_key(command_line: CommandLine) -> None:
    """Messages of a key go back in the order in which they came, and to the partition where their key is."""
    for number in range(50):
        await command_line.bury({"number": number}, Told(key=b"same"), partition=1)
    await command_line(*_replay("--all"))
    replayed = await command_line.sent_again(50)
    assert [record.value for record in replayed] == [b'{"number": %d}' % number for number in range(50)]
    assert {record.partition for record in replayed} == {1}


async def test_a_rate_is_kept(command_line: CommandLine) -> None:
    """The cluster gets time to work them off."""
    for _ in range(5):
        await command_line.bury({})
    began = time.monotonic()
    await command_line(*_replay("--all", "--rate", 4))
    assert time.monotonic() - began > 1.0
    await command_line.sent_again(5)


async def test_a_message_that_came_back_too_often_stays(command_line: CommandLine) -> None:
    """The count is in its headers, and the cap is the operator's to raise."""
    await command_line.bury({}, Told(headers=((REPLAYS, b"\x00\x00\x00\x03"),)))
    assert "1 sent again too often" in await command_line(*_replay("--all"))
    await command_line.sent_again(1)  # the message itself, that was given up at its third replay
    assert "sent 1 of 1" in await command_line(*_replay("--all", "--max-replays", 4))
    assert dict((await command_line.sent_again(2))[-1].headers)[REPLAYS] == b"\x00\x00\x00\x04"


async def test_dead_letters_of_another_group_are_its_own_business(command_line: CommandLine) -> None:
    """Groups share the topics; each sends its own again, unless the operator wants all groups to handle them."""
    await command_line.bury({}, Told(group="renamed-since"))
    shown = await command_line(*_replay("--all"))
    assert "1 failed in another group" in shown
    assert "KAFKA_CONSUMER_GROUP_ID" in shown
    await command_line.sent_again(0)
    await command_line(*_replay("--all", "--any-group"))
    [replayed] = await command_line.sent_again(1)
    assert FOR not in dict(replayed.headers)


async def test_a_replay_of_all_topics_sends_each_to_its_own(command_line: CommandLine, broker: Broker) -> None:
    """After an outage of everything, one command brings everything back."""
    other = command_line.topic.replace(BASE_NAME, "thoth.adviser-trigger")
    await broker.create_topics([other, f"{other}-dlt"])
    await command_line.bury({})
    place = Origin(other, 0, 0, 1_700_000_000_000)
    await command_line.bury_at(place, {"adviser": True})
    shown = await command_line("dead-letters", "replay", "--all")
    assert shown.count("sent 1 of 1") == 2
    await command_line.sent_again(1)
    [replayed] = await command_line.kafka.read(other, 1)
    assert origin_of_replay(_as_headers(replayed)) == place


async def test_nothing_to_replay_is_no_error(command_line: CommandLine) -> None:
    """A scheduled command may well find nothing to do."""
    await command_line.bury({})
    assert await command_line(*_replay("--error", "timeout")) == "No dead letter is like that.\n"


async def test_a_record_of_somebody_else_is_left_where_it_is(command_line: CommandLine) -> None:
    """Without its origin nobody knows where it would have to go."""
    await command_line.kafka.send(command_line.twin, b"hello", partition=0)
    assert "1 not written by a worker" in await command_line(*_replay("--all"))
    await command_line.sent_again(0)


async def test_a_topic_that_was_made_anew_has_dead_letters_of_its_own(command_line: CommandLine) -> None:
    """Offsets that begin from zero again are not mistaken for those that were replayed before."""
    await command_line.bury({})
    await command_line(*_replay("--all"))
    await command_line.make_anew(command_line.twin)
    await command_line.bury({})
    assert "sent 1 of 1" in await command_line(*_replay("--all"))

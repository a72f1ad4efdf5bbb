# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.delivery.dead_letters import GROUP as GROUP_HEADER
from investigator.delivery.dead_letters import REPLAYED_FOR, Headers, dead_letter_headers, origin_of_replay
from investigator.delivery.errors import PermanentError
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, ReplayPolicy, Verdict, is_addressed_to, replay_headers
from investigator.delivery.retry import Failure

TOPIC = "stage.thoth.repo-init"
FIRST = Origin(TOPIC, 3, 41, 1_700_000_000_123)
GROUP = "backend"


def _dead_letter(delivery: Delivery, group: str = GROUP) -> DeadLetter:
    failure = Failure(PermanentError("no such project"), attempts=5)
    headers = dead_letter_headers(delivery, failure, group)
    return DeadLetter(Origin(f"{TOPIC}-dlt", 3, 7, 1_700_000_100_000), delivery.key, delivery.value, headers)


def _delivery(headers: Headers = (), position: Origin = FIRST) -> Delivery:
    return Delivery(
        topic="thoth.repo-init",
        partition=Partition(position.topic, position.partition),
        offset=position.offset,
        key=b"key",
        origin=origin_of_replay(headers) or position,
        make_steps=list,
        value=b"{}",
        headers=headers,
    )


def _replayed(dead_letter: DeadLetter, group: str | None = GROUP) -> Delivery:
    return _delivery(replay_headers(dead_letter, group), Origin(TOPIC, 3, 99, 1_700_000_200_000))


def test_a_dead_letter_names_the_origin_and_the_error_of_its_message() -> None:
    """An operator sees where a message came from and why it failed."""
    dead_letter = _dead_letter(_delivery(headers=(("trace-id", b"\xff"),)))
    assert dead_letter.original == FIRST
    assert dead_letter.group == GROUP
    assert dead_letter.error_class == "investigator.delivery.errors.PermanentError"
    assert dead_letter.error == "no such project"
    assert "PermanentError" in dead_letter.trace
    assert dead_letter.cause_class == ""
    assert (dead_letter.attempts, dead_letter.replays) == (5, 0)


def test_a_replay_has_the_origin_of_the_original_message() -> None:
    """Workflow ids are derived from the origin, so a replay schedules no workflow a second time."""
    assert _replayed(_dead_letter(_delivery())).origin == FIRST


def test_a_replay_that_fails_again_has_its_first_origin_and_its_number_of_replays() -> None:
    """Both survive any number of rounds."""
    dead_letter = _dead_letter(_delivery())
    for replays in (1, 2, 3):
        dead_letter = _dead_letter(_replayed(dead_letter))
        assert dead_letter.original == FIRST
        assert dead_letter.replays == replays


def test_a_replay_has_the_original_headers_and_none_about_the_error() -> None:
    """Consumers see the message as it was first sent."""
    names = [name for name, _ in replay_headers(_dead_letter(_delivery(headers=(("trace-id", b"1"),))), GROUP)]
    assert "trace-id" in names
    assert not [name for name in names if "exception" in name or "attempts" in name]
    assert len(names) == len(set(names))


def test_a_replay_is_addressed_to_the_group_in_which_it_failed() -> None:
    """Another group processed the message long ago; its workflow may have been deleted, and would be created again."""
    headers = replay_headers(_dead_letter(_delivery()), GROUP)
    assert is_addressed_to(GROUP, headers)
    assert not is_addressed_to("middletier", headers)


def test_a_replay_can_be_addressed_to_every_group() -> None:
    """After a group was renamed, no group has its dead letters; they can still be replayed."""
    headers = replay_headers(_dead_letter(_delivery()), None)
    assert is_addressed_to("backend", headers)
    assert is_addressed_to("middletier", headers)


def test_an_ordinary_message_is_for_every_group() -> None:
    """Only replays are addressed."""
    assert is_addressed_to("any", (("trace-id", b"1"),))


def test_a_replay_that_fails_in_another_group_belongs_to_that_group() -> None:
    """The group of a dead letter is the one in which it failed last, not first."""
    dead_letter = _dead_letter(_replayed(_dead_letter(_delivery(), group="a"), None), group="b")
    assert dead_letter.group == "b"
    assert is_addressed_to("b", replay_headers(dead_letter, dead_letter.group))


@pytest.mark.parametrize(
    ("policy", "sent_before", "verdict"),
    [
        (ReplayPolicy(GROUP), False, Verdict.SEND),
        (ReplayPolicy(GROUP), True, Verdict.SENT_BEFORE),
        (ReplayPolicy(GROUP, again=True), True, Verdict.SEND),
        (ReplayPolicy("other"), False, Verdict.OTHER_GROUP),
        (ReplayPolicy("other", any_group=True), False, Verdict.SEND),
    ],
)
def test_the_policy_decides_which_dead_letters_are_sent(
    policy: ReplayPolicy, verdict: Verdict, *, sent_before: bool
) -> None:
    """A dead letter is sent once, and only for its own group, unless the operator says otherwise."""
    assert policy.verdict(_dead_letter(_delivery()), sent_before=sent_before) is verdict


def test_a_message_that_fails_at_every_replay_is_not_sent_forever() -> None:
    """The limit counts the replays over all dead letters of a message."""
    dead_letter = _dead_letter(_delivery())
    for _ in range(3):
        assert ReplayPolicy(GROUP).verdict(dead_letter, sent_before=False) is Verdict.SEND
        dead_letter = _dead_letter(_replayed(dead_letter))
    assert ReplayPolicy(GROUP).verdict(dead_letter, sent_before=False) is Verdict.TOO_OFTEN
    assert ReplayPolicy(GROUP, max_replays=4).verdict(dead_letter, sent_before=False) is Verdict.SEND


def test_a_record_that_is_no_dead_letter_is_not_sent() -> None:
    """Any other record in a dead-letter topic has no topic to be sent to."""
    position = Origin(f"{TOPIC}-dlt", 0, 0, 0)
    stray = DeadLetter(position, None, b"hello", (("kafka_dlt-original-topic", TOPIC.encode()),))
    assert stray.original is None
    assert ReplayPolicy("", any_group=True).verdict(stray, sent_before=False) is Verdict.UNKNOWN_ORIGIN


def test_a_dead_letter_is_sent_to_no_other_topic_than_its_own() -> None:
    """A sender chooses the headers; a forged one must not reach another topic."""
    forged = tuple(
        (name, b"elsewhere" if name == "kafka_dlt-original-topic" else content)
        for name, content in _dead_letter(_delivery()).headers
    )
    dead_letter = DeadLetter(Origin(f"{TOPIC}-dlt", 0, 0, 0), None, b"{}", forged)
    assert ReplayPolicy(GROUP).verdict(dead_letter, sent_before=False) is Verdict.UNKNOWN_ORIGIN


def test_headers_without_a_value_are_unchanged() -> None:
    """Kafka distinguishes no value from an empty one, and so may a consumer of the dead letter or of its replay."""
    own = (("none", None), ("empty", b""))
    dead_letter = _dead_letter(_delivery(headers=own))
    assert dead_letter.headers[:2] == own
    assert replay_headers(dead_letter, GROUP)[:2] == own


def test_a_header_without_a_value_says_nothing() -> None:
    """Any producer may send one; it causes no error, and hides the message from no group."""
    dead_letter = DeadLetter(FIRST, None, None, ((GROUP_HEADER, None), ("kafka_dlt-original-offset", None)))
    assert (dead_letter.original, dead_letter.group) == (None, "")
    assert is_addressed_to(GROUP, ((REPLAYED_FOR, None),))


def test_a_slim_dead_letter_has_all_but_value_and_stack_trace() -> None:
    """Thousands of dead letters can be listed without all of their content in memory."""
    dead_letter = _dead_letter(_delivery())
    assert dead_letter.slim().error == dead_letter.error
    assert dead_letter.slim().original == FIRST
    assert (dead_letter.slim().value, dead_letter.slim().trace) == (None, "")

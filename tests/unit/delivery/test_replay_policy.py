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


def _died(delivery: Delivery, group: str = GROUP) -> DeadLetter:
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


def _replayed(letter: DeadLetter, group: str | None = GROUP) -> Delivery:
    return _delivery(replay_headers(letter, group), Origin(TOPIC, 3, 99, 1_700_000_200_000))


def test_what_a_dead_letter_tells_is_read_back() -> None:
    """An operator sees where a message came from and why it was given up."""
    letter = _died(_delivery(headers=(("trace-id", b"\xff"),)))
    assert letter.original == FIRST
    assert letter.group == GROUP
    assert letter.error_class == "investigator.delivery.errors.PermanentError"
    assert letter.error == "no such project"
    assert "PermanentError" in letter.trace
    assert letter.cause_class == ""
    assert (letter.attempts, letter.replays) == (5, 0)


def test_a_replay_is_the_original_message_by_its_origin() -> None:
    """Workflow ids are derived from the origin, so a replay schedules nothing a second time."""
    assert _replayed(_died(_delivery())).origin == FIRST


def test_a_replay_that_dies_again_still_knows_its_first_origin_and_how_often_it_was_sent() -> None:
    """The identity and the count outlive any number of rounds."""
    letter = _died(_delivery())
    for replays in (1, 2, 3):
        letter = _died(_replayed(letter))
        assert letter.original == FIRST
        assert letter.replays == replays


def test_a_replay_carries_its_own_headers_and_nothing_of_the_error() -> None:
    """Consumers see the message as it was first sent; the error belongs to the dead letter alone."""
    names = [name for name, _ in replay_headers(_died(_delivery(headers=(("trace-id", b"1"),))), GROUP)]
    assert "trace-id" in names
    assert not [name for name in names if "exception" in name or "attempts" in name]
    assert len(names) == len(set(names))


def test_a_replay_is_for_the_group_that_gave_it_up() -> None:
    """Another group handled the message long ago; its workflow may be deleted by now and would be made again."""
    headers = replay_headers(_died(_delivery()), GROUP)
    assert is_addressed_to(GROUP, headers)
    assert not is_addressed_to("middletier", headers)


def test_a_replay_for_every_group_is_for_every_group() -> None:
    """Where a group was renamed, its dead letters are nobody's; they can still be sent again."""
    headers = replay_headers(_died(_delivery()), None)
    assert is_addressed_to("backend", headers)
    assert is_addressed_to("middletier", headers)


def test_an_ordinary_message_is_for_every_group() -> None:
    """Only replays are addressed."""
    assert is_addressed_to("any", (("trace-id", b"1"),))


def test_a_message_that_another_group_gives_up_at_its_replay_belongs_to_that_group() -> None:
    """The dead letter's group is the one that gave it up last, not the one that did first."""
    letter = _died(_replayed(_died(_delivery(), group="a"), None), group="b")
    assert letter.group == "b"
    assert is_addressed_to("b", replay_headers(letter, letter.group))


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
def test_the_policy_decides(policy: ReplayPolicy, verdict: Verdict, *, sent_before: bool) -> None:
    """A dead letter is sent once, and only for its own group, unless the operator says otherwise."""
    assert policy.verdict(_died(_delivery()), sent_before=sent_before) is verdict


def test_a_message_that_keeps_dying_is_not_sent_for_ever() -> None:
    """The cap counts replays over all dead letters of a message."""
    letter = _died(_delivery())
    for _ in range(3):
        assert ReplayPolicy(GROUP).verdict(letter, sent_before=False) is Verdict.SEND
        letter = _died(_replayed(letter))
    assert ReplayPolicy(GROUP).verdict(letter, sent_before=False) is Verdict.TOO_OFTEN
    assert ReplayPolicy(GROUP, max_replays=4).verdict(letter, sent_before=False) is Verdict.SEND


def test_a_record_that_nobody_gave_up_is_left_alone() -> None:
    """Whatever else lies in a dead-letter topic has no topic to go back to."""
    position = Origin(f"{TOPIC}-dlt", 0, 0, 0)
    stray = DeadLetter(position, None, b"hello", (("kafka_dlt-original-topic", TOPIC.encode()),))
    assert stray.original is None
    assert ReplayPolicy("", any_group=True).verdict(stray, sent_before=False) is Verdict.UNKNOWN_ORIGIN


def test_a_dead_letter_goes_back_to_no_other_topic_than_its_own() -> None:
    """Headers are the sender's to choose; a forged one must not reach another topic."""
    forged = tuple(
        (name, b"elsewhere" if name == "kafka_dlt-original-topic" else content)
        for name, content in _died(_delivery()).headers
    )
    letter = DeadLetter(Origin(f"{TOPIC}-dlt", 0, 0, 0), None, b"{}", forged)
    assert ReplayPolicy(GROUP).verdict(letter, sent_before=False) is Verdict.UNKNOWN_ORIGIN


def test_headers_without_content_stay_so() -> None:
    """Kafka tells none from empty, and so may whoever reads them: in the dead letter, and in its replay."""
    own = (("none", None), ("empty", b""))
    letter = _died(_delivery(headers=own))
    assert letter.headers[:2] == own
    assert replay_headers(letter, GROUP)[:2] == own


def test_what_a_header_without_content_should_tell_is_unknown() -> None:
    """Anybody may send such; it is no reason to fail, nor to keep a message from all groups."""
    letter = DeadLetter(FIRST, None, None, ((GROUP_HEADER, None), ("kafka_dlt-original-offset", None)))
    assert (letter.original, letter.group) == (None, "")
    assert is_addressed_to(GROUP, ((REPLAYED_FOR, None),))


def test_a_slim_dead_letter_tells_the_same_without_value_and_trace() -> None:
    """Thousands of dead letters are listed without holding all of their content."""
    letter = _died(_delivery())
    assert letter.slim().error == letter.error
    assert letter.slim().original == FIRST
    assert (letter.slim().value, letter.slim().trace) == (None, "")

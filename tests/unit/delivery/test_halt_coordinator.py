# SPDX-License-Identifier: GPL-3.0-or-later
"""Halts and resumes, as the workers of a group make and see them."""

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, HaltKey, ResumeAction
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC
from tests.support.fake_halt_log import FakeHaltLog, HaltLogClient, catch_up, make_coordinator

ONE, TWO = FailedMessage(0, 5, 50, "ValueError: one", 5), FailedMessage(1, 7, 70, "ValueError: two", 5)


def group(size: int = 2) -> tuple[list[HaltCoordinator], list[HaltLogClient]]:
    """Make the workers of a group."""
    log = FakeHaltLog()
    made = [make_coordinator(log, f"worker {number}") for number in range(size)]
    return [halt_coordinator for halt_coordinator, _ in made], [client for _, client in made]


def test_a_halt_is_in_force_at_once_where_it_is_made() -> None:
    """The worker that gives a message up takes up nothing more, however long the broker takes."""
    (mine, other), clients = group()
    told: list[str] = []
    mine.add_listener(told.append)
    mine.halt(TOPIC, cause=ONE)
    assert mine.is_halted(TOPIC)
    assert told == [TOPIC]
    assert not other.is_halted(TOPIC)
    catch_up(clients)
    assert other.is_halted(TOPIC)
    assert mine.halted_topics([OTHER_TOPIC, TOPIC]) == [TOPIC]


def test_a_halt_names_its_cause_everywhere() -> None:
    """Partition, offset, error, attempts, since when and by which worker are known to all."""
    (mine, other), clients = group()
    mine.halt(TOPIC, cause=ONE)
    catch_up(clients)
    assert other.current_halt(TOPIC) == mine.current_halt(TOPIC)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert (halt.by, halt.causes) == ("worker 0", (ONE,))


def test_two_workers_that_halt_at_the_same_moment_name_both_messages() -> None:
    """Neither knows of the other one's message when it writes its own; no halt is lost by that."""
    (mine, other), clients = group()
    mine.halt(TOPIC, cause=ONE)
    other.halt(TOPIC, cause=TWO)
    catch_up(clients)
    for halt_coordinator in (mine, other):
        halt = halt_coordinator.current_halt(TOPIC)
        assert halt is not None
        assert set(halt.causes) == {ONE, TWO}


def test_each_message_that_is_given_up_costs_one_record() -> None:
    """A bad deployment makes many workers give up many messages at once: that must not flood the log."""
    coordinators, clients = group(size=5)
    for number, halt_coordinator in enumerate(coordinators):
        for offset in range(20):
            halt_coordinator.halt(TOPIC, cause=FailedMessage(number, offset, 0, "trouble", 5))
    catch_up(clients)
    assert len(clients[0].log.records) == 100


def test_a_resume_on_any_worker_resumes_all() -> None:
    """The operator need not know which worker halted the topic."""
    (mine, other), clients = group()
    written: list[str] = []
    mine.halt(TOPIC, cause=ONE, on_written=lambda: written.append("halt"))
    catch_up(clients)
    other.resume(TOPIC, by="operator", on_written=lambda: written.append("resume"))
    assert other.is_halted(TOPIC), "not before the log says so"
    catch_up(clients)
    assert not mine.is_halted(TOPIC)
    assert not other.is_halted(TOPIC)
    assert written == ["halt", "resume"]


def test_a_resume_counts_for_halts_that_the_worker_has_not_read_yet() -> None:
    """Whoever sees the halt on one worker and resumes on another one at once is not told a lie."""
    (mine, other), (my_view, other_view) = group()
    mine.halt(TOPIC, cause=ONE)
    my_view.catch_up()
    other.resume(TOPIC, by="operator")
    assert not other.is_halted(TOPIC)
    other_view.catch_up()
    catch_up([my_view, other_view])
    assert not mine.is_halted(TOPIC)


def test_a_resume_right_after_a_restart_knows_what_is_halted() -> None:
    """A worker that has read nothing yet resumes what the log holds by then."""
    (mine,), (client,) = group(1)
    mine.halt(TOPIC, cause=ONE)
    client.catch_up()
    restarted, new_view = make_coordinator(client.log)
    restarted.resume(TOPIC, by="operator")
    catch_up([client, new_view])
    assert not mine.is_halted(TOPIC)


def test_a_message_given_up_after_the_resume_halts_the_topic_again() -> None:
    """A decision counts for the messages that were known; a later failure is not resumed along with them."""
    (mine, other), clients = group()
    mine.halt(TOPIC, cause=ONE)
    catch_up(clients)
    other.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    catch_up(clients)
    mine.halt(TOPIC, cause=TWO)
    catch_up(clients)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes == (TWO,)


def test_verbs_are_known_to_whoever_gets_the_message() -> None:
    """After a rebalance another worker may meet the message: it does what was decided about it, and only about it."""
    (mine, other), clients = group()
    for action in (ResumeAction.SKIP, ResumeAction.DEAD_LETTER):
        mine.halt(TOPIC, cause=ONE)
        catch_up(clients)
        mine.resume(TOPIC, by="operator", action=action)
        catch_up(clients)
        assert other.decision_for(TOPIC, ONE.position) == (action, ONE)
        assert other.decision_for(TOPIC, TWO.position) is None
        assert other.decision_for(OTHER_TOPIC, ONE.position) is None
    mine.halt(TOPIC, cause=ONE)
    catch_up(clients)
    mine.resume(TOPIC, by="operator", action=ResumeAction.RETRY)
    catch_up(clients)
    assert other.decision_for(TOPIC, ONE.position) is None, "to be tried is what happens to any message"


def test_a_message_that_is_done_with_leaves_nothing_in_the_log() -> None:
    """Else each message that was ever given up would be read by every worker at every start, for ever."""
    (mine,), (client,) = group(1)
    mine.halt(TOPIC, cause=ONE)
    client.catch_up()
    mine.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    client.catch_up()
    mine.clear(TOPIC, ONE.position)
    client.catch_up()
    mine.clear(TOPIC, ONE.position)
    assert not client.to_write, "there is nothing to clear any more"
    assert [record for _, key, record in client.log.records if key == HaltKey(TOPIC, ONE.position)][-1] is None


def test_a_topic_halted_by_hand_is_resumed_the_same_way() -> None:
    """An operator's halt needs no message, adds to those over messages, and ends with them."""
    (mine, other), clients = group()
    mine.halt(TOPIC, cause=ONE)
    mine.halt(TOPIC, by="operator")
    catch_up(clients)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes == (ONE,)
    other.resume(TOPIC, by="operator")
    catch_up(clients)
    assert mine.current_halt(TOPIC) is None


def test_to_resume_a_topic_that_is_not_halted_changes_nothing() -> None:
    """It is confirmed all the same."""
    (mine,), (client,) = group(1)
    written: list[bool] = []
    mine.resume(TOPIC, by="operator", on_written=lambda: written.append(True))
    client.catch_up()
    assert written == [True]
    assert mine.current_halt(TOPIC) is None

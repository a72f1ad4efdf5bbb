# SPDX-License-Identifier: GPL-3.0-or-later
"""Halts and resumes, as the workers of a group make and see them."""

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, HaltKey, ResumeAction, Settlement
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC
from tests.support.fake_halt_log import FakeHaltLog, HaltLogClient, catch_up, make_coordinator

ONE, TWO = FailedMessage(0, 5, 50, "ValueError: one", 5), FailedMessage(1, 7, 70, "ValueError: two", 5)


def make_group(size: int = 2) -> tuple[list[HaltCoordinator], list[HaltLogClient]]:
    """Return the coordinators of a group, and their clients of the log."""
    log = FakeHaltLog()
    made = [make_coordinator(log, f"worker {number}") for number in range(size)]
    return [coordinator for coordinator, _ in made], [client for _, client in made]


def test_a_worker_obeys_its_own_halt_at_once() -> None:
    """A worker in which a message failed accepts no more messages of the topic, however slow the broker is."""
    (own, other), clients = make_group()
    changed: list[str] = []
    own.add_listener(changed.append)
    own.halt(TOPIC, cause=ONE)
    assert own.is_halted(TOPIC)
    assert changed == [TOPIC]
    assert not other.is_halted(TOPIC)
    catch_up(clients)
    assert other.is_halted(TOPIC)
    assert own.halted_topics([OTHER_TOPIC, TOPIC]) == [TOPIC]


def test_every_worker_knows_the_cause_of_a_halt() -> None:
    """Partition, offset, error, attempts, time and worker are the same for all."""
    (own, other), clients = make_group()
    own.halt(TOPIC, cause=ONE)
    catch_up(clients)
    assert other.current_halt(TOPIC) == own.current_halt(TOPIC)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert (halt.by, halt.causes) == ("worker 0", (ONE,))


def test_two_workers_that_halt_a_topic_at_the_same_moment_name_both_messages() -> None:
    """Neither has read the other one's record when it writes its own; no halt is lost by that."""
    (own, other), clients = make_group()
    own.halt(TOPIC, cause=ONE)
    other.halt(TOPIC, cause=TWO)
    catch_up(clients)
    for coordinator in (own, other):
        halt = coordinator.current_halt(TOPIC)
        assert halt is not None
        assert set(halt.causes) == {ONE, TWO}


def test_each_failed_message_costs_one_record() -> None:
    """After a bad deployment many messages fail on many workers at once: that must not flood the log."""
    coordinators, clients = make_group(size=5)
    for number, coordinator in enumerate(coordinators):
        for offset in range(20):
            coordinator.halt(TOPIC, cause=FailedMessage(number, offset, 0, "trouble", 5))
    catch_up(clients)
    assert len(clients[0].log.records) == 100


def test_a_resume_on_any_worker_resumes_the_topic_on_all() -> None:
    """The operator need not know which worker halted the topic."""
    (own, other), clients = make_group()
    written: list[str] = []
    own.halt(TOPIC, cause=ONE, on_written=lambda: written.append("halt"))
    catch_up(clients)
    other.resume(TOPIC, by="operator", on_written=lambda: written.append("resume"))
    assert other.is_halted(TOPIC), "a resume takes effect when it is read back"
    catch_up(clients)
    assert not own.is_halted(TOPIC)
    assert not other.is_halted(TOPIC)
    assert written == ["halt", "resume"]


def test_a_resume_includes_halts_that_the_worker_has_not_read_yet() -> None:
    """An operator may see the halt on one worker, and resume the topic on another one at once."""
    (own, other), (own_client, other_client) = make_group()
    own.halt(TOPIC, cause=ONE)
    own_client.catch_up()
    other.resume(TOPIC, by="operator")
    assert not other.is_halted(TOPIC)
    other_client.catch_up()
    catch_up([own_client, other_client])
    assert not own.is_halted(TOPIC)


def test_a_resume_right_after_a_restart_includes_all_halts_in_the_log() -> None:
    """The worker has read nothing yet."""
    (own,), (client,) = make_group(1)
    own.halt(TOPIC, cause=ONE)
    client.catch_up()
    restarted, new_view = make_coordinator(client.log)
    restarted.resume(TOPIC, by="operator")
    catch_up([client, new_view])
    assert not own.is_halted(TOPIC)


def test_a_message_that_fails_after_the_resume_halts_the_topic_again() -> None:
    """A decision is about the messages that had failed by then, not about later ones."""
    (own, other), clients = make_group()
    own.halt(TOPIC, cause=ONE)
    catch_up(clients)
    other.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    catch_up(clients)
    own.halt(TOPIC, cause=TWO)
    catch_up(clients)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes == (TWO,)


def test_every_worker_knows_the_decision_about_a_message() -> None:
    """After a rebalance another worker may get the message: it applies the decision, and to that message only."""
    (own, other), clients = make_group()
    for action in (ResumeAction.SKIP, ResumeAction.DEAD_LETTER):
        own.halt(TOPIC, cause=ONE)
        catch_up(clients)
        assert other.decision_for(TOPIC, ONE.position) is None
        own.resume(TOPIC, by="operator", action=action)
        catch_up(clients)
        assert other.decision_for(TOPIC, ONE.position) == (action, ONE)
        assert other.decision_for(TOPIC, TWO.position) is None
        assert other.decision_for(OTHER_TOPIC, ONE.position) is None
    own.halt(TOPIC, cause=ONE)
    catch_up(clients)
    own.resume(TOPIC, by="operator", action=ResumeAction.RETRY)
    catch_up(clients)
    assert other.decision_for(TOPIC, ONE.position) is None, "a message to be retried is processed"
    assert other.is_resumed(TOPIC, ONE.position)


def test_a_finished_message_leaves_no_record_in_the_log() -> None:
    """Otherwise every worker would read every message that ever failed, at every start."""
    (own,), (client,) = make_group(1)
    own.halt(TOPIC, cause=ONE)
    client.catch_up()
    own.resume(TOPIC, by="operator", action=ResumeAction.SKIP)
    client.catch_up()
    own.clear(TOPIC, ONE.position)
    client.catch_up()
    own.clear(TOPIC, ONE.position)
    assert not client.to_write, "there is nothing to clear any more"
    assert isinstance(
        [entry for _, key, entry in client.log.records if key == HaltKey(TOPIC, ONE.position)][-1], Settlement
    )


def test_a_topic_halted_by_an_operator_is_resumed_the_same_way() -> None:
    """An operator's halt needs no message; it adds to the halts over messages, and ends with them."""
    (own, other), clients = make_group()
    own.halt(TOPIC, cause=ONE)
    own.halt(TOPIC, by="operator")
    catch_up(clients)
    halt = other.current_halt(TOPIC)
    assert halt is not None
    assert halt.causes == (ONE,)
    other.resume(TOPIC, by="operator")
    catch_up(clients)
    assert own.current_halt(TOPIC) is None


def test_resuming_a_topic_that_is_not_halted_changes_nothing() -> None:
    """It is confirmed all the same."""
    (own,), (client,) = make_group(1)
    written: list[bool] = []
    own.resume(TOPIC, by="operator", on_written=lambda: written.append(True))
    client.catch_up()
    assert written == [True]
    assert own.current_halt(TOPIC) is None

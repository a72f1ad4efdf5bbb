# SPDX-License-Identifier: GPL-3.0-or-later
"""All workers of a group agree on what is halted, in whatever order they write, read, crash and restart."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.delivery.halts import FailedMessage, ResumeAction
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC
from tests.support.fake_halt_log import FakeHaltLog, HaltLogClient, catch_up, make_coordinator


@dataclass
class Member:
    """A worker, with the offsets of the halts that it made; an offset is missing until its record is written."""

    halt_coordinator: HaltCoordinator
    client: HaltLogClient
    made: list[tuple[str, list[int]]] = field(default_factory=list)


TOPICS = (TOPIC, OTHER_TOPIC)
CAUSES = st.builds(FailedMessage, st.integers(0, 1), st.integers(0, 1), st.just(0), st.just("trouble"), st.just(5))


class HaltCoordinatorMachine(RuleBasedStateMachine):
    """Halts, resumes, crashes and restarts on three workers; records are written, confirmed and read at any moment."""

    @initialize()
    def begin(self) -> None:
        """Start a group of three."""
        self.log = FakeHaltLog()
        self.time = 0.0
        self.members = [self.new_member(number) for number in range(3)]

    def new_member(self, number: int) -> Member:
        """Start a worker."""
        return Member(*make_coordinator(self.log, f"worker {number}", lambda: self.time))

    @rule(number=st.integers(0, 2), topic=st.sampled_from(TOPICS), cause=st.none() | CAUSES)
    def halt(self, number: int, topic: str, cause: FailedMessage | None) -> None:
        """Halt a topic over a message, or for an operator."""
        member, offsets = self.members[number], list[int]()
        self.time += 1
        member.made.append((topic, offsets))
        member.halt_coordinator.halt(topic, cause=cause, on_written=lambda: None)
        key, record, on_written = member.client.to_write.pop()

        def on_recorded(offset: int) -> None:
            offsets.append(offset)
            on_written(offset)

        member.client.to_write.append((key, record, on_recorded))

    @rule(number=st.integers(0, 2), topic=st.sampled_from(TOPICS), action=st.sampled_from(ResumeAction))
    def resume(self, number: int, topic: str, action: ResumeAction) -> None:
        """Resume a topic."""
        self.time += 1
        self.members[number].halt_coordinator.resume(topic, by="operator", action=action)

    @rule(number=st.integers(0, 2), topic=st.sampled_from(TOPICS), cause=CAUSES)
    def finish(self, number: int, topic: str, cause: FailedMessage) -> None:
        """Finish a message, whatever its state."""
        self.members[number].halt_coordinator.clear(topic, cause.position)

    @precondition(lambda self: any(member.client.to_write for member in self.members))
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """Write a record of one of the workers."""
        data.draw(st.sampled_from([each.client for each in self.members if each.client.to_write])).write()

    @precondition(lambda self: any(member.client.to_confirm for member in self.members))
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        """Confirm one of the written records of a worker: late, or before earlier ones."""
        client = data.draw(st.sampled_from([each.client for each in self.members if each.client.to_confirm]))
        client.confirm(data.draw(st.integers(0, len(client.to_confirm) - 1)))

    @precondition(lambda self: any(member.client.unread() for member in self.members))
    @rule(data=st.data(), number=st.integers(1, 5))
    def read(self, data: st.DataObject, number: int) -> None:
        """Let a worker read some records."""
        client = data.draw(st.sampled_from([each.client for each in self.members if each.client.unread()]))
        for _ in client.unread()[:number]:
            client.read()

    @rule(number=st.integers(0, 2))
    def restart(self, number: int) -> None:
        """Crash without writing the rest, and read the log from its start."""
        self.members[number] = self.new_member(number)

    @rule()
    def compact(self) -> None:
        """Let the broker remove the records that later ones replaced."""
        self.log.compact(min(member.client.position for member in self.members))

    @rule(topic=st.sampled_from(TOPICS))
    def all_agree_and_obey(self, topic: str) -> None:
        """Check that after all reads and writes every worker sees the same, and that a resume takes effect on all."""
        self.catch_up()
        self.members[0].halt_coordinator.resume(topic, by="operator", action=ResumeAction.SKIP)
        self.catch_up()
        assert not any(member.halt_coordinator.is_halted(topic) for member in self.members)

    @invariant()
    def own_halts_hold_until_they_are_read(self) -> None:
        """Check that a worker's own halt is in force before any other worker knows it."""
        for member in self.members:
            for topic, offsets in member.made:
                if not offsets or offsets[0] >= member.client.position:
                    assert member.halt_coordinator.is_halted(topic)

    def catch_up(self) -> None:
        """Write and read all records, and compare the workers with one that starts now."""
        catch_up([member.client for member in self.members])
        for compacted in (False, True):
            if compacted:
                self.compact()
            late, client = make_coordinator(self.log)
            client.catch_up()
            for member in self.members:
                for topic in TOPICS:
                    assert member.halt_coordinator.current_halt(topic) == late.current_halt(topic)
                    assert member.halt_coordinator.table.records(topic) == late.table.records(topic)

    def teardown(self) -> None:
        """Check that in the end all agree."""
        if hasattr(self, "members"):
            self.catch_up()


TestHaltCoordinatorMachine = HaltCoordinatorMachine.TestCase
TestHaltCoordinatorMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

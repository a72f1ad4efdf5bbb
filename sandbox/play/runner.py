# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the scenarios one after the other, waits until each loop is closed, and verifies the whole run at the end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import psycopg2
from aiokafka.errors import KafkaError

from sandbox.play.advising import PASSWORDS
from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Flag, shortfalls
from sandbox.play.report import Row, build_rows
from sandbox.play.scenario import ADVISE_JUSTIFICATION, Scenario
from sandbox.play.scenarios import SCENARIOS
from sandbox.play.worker_pool import METRICS, SCHEDULING, WorkerPool, message_type_label

__all__ = ["SERVER_ERRORS", "ScenarioRunner", "outcome_line", "run_check"]

# A scenario takes seconds; on a busy machine all of them together take several times as long.
_TIMEOUT = 40.0
_CHECK_INTERVAL = 0.1
_CHECKS_PER_PROBLEM_SEARCH = 10

_UNFINISHED_PHASES = ("Pending", "Running")
_SUCCEEDED = "Succeeded"

_MESSAGE_COUNTER = "message_count_by_version_total"
_JUSTIFICATION_GAUGE = "thoth_advise_justification_type_number"

#: The errors of a broker or database that is unavailable.
SERVER_ERRORS = (KafkaError, psycopg2.Error)

#: Returns one line for each condition that is not met.
Check = Callable[[], Awaitable[list[str]]]


@dataclass
class ScenarioRunner:
    """One run of all scenarios.

    Attributes:
        context: the state that the scenarios share.
        workers: the workers.
        find_dead_processes: returns one line for each worker or server that is gone; then waiting is of no use.
        unmet: the conditions of a closed loop that are not met, by the scenario's number.
    """

    context: ScenarioContext
    workers: WorkerPool
    find_dead_processes: Callable[[], list[str]]
    unmet: dict[int, list[str]] = field(default_factory=lambda: {each.number: ["it was not run"] for each in SCENARIOS})
    _dead_processes: list[str] = field(default_factory=list)
    _flags_set: dict[int, set[Flag]] = field(default_factory=dict)

    async def run(self) -> None:
        """Run the scenarios: a scenario that fails does not prevent the next one, unless a worker or server is gone."""
        self.context.print_line("")
        self.context.print_line(
            "Indented lines: message → workflow or flag that it caused: result; messages that follow"
        )
        for scenario in SCENARIOS:
            if self._dead_processes:
                return
            self.context.print_line("")
            self.context.print_line(f"Scenario {scenario.number}: {scenario.title}")
            self.unmet[scenario.number] = await self._run_scenario(scenario)
            self.context.print_line(f"  {outcome_line(scenario, self.unmet[scenario.number])}")

    async def verify(self) -> list[str]:
        """Wait until all messages are handled, and return one line for each expectation that is not met."""
        if self._dead_processes:
            dead = tuple(self._dead_processes)
            return [*dead, *(line for line in self._unmet_by_scenario() if not line.endswith(dead))]
        unhandled = await self._wait_until_met(self._unhandled_messages)
        for scenario in SCENARIOS:
            self.unmet[scenario.number] = await run_check(partial(self._open_conditions, scenario))
        workflows = [*self._unexpected_workflows(), *self._failed_workflows()]
        metrics = await self._wrong_metrics()
        return [*self._unmet_by_scenario(), *unhandled, *workflows, *metrics, *self._leaked_passwords()]

    def _unmet_by_scenario(self) -> list[str]:
        return [f"scenario {number}: {text}" for number, texts in self.unmet.items() for text in texts]

    async def rows(self) -> list[Row]:
        """Return the rows of the table, one for each message type."""
        workflows, event_log = self.context.sandbox.cluster.created, self.context.event_log
        metrics = await self.workers.metrics()
        sent = Counter(each.base_name for each in event_log.messages())
        causes = ((event_log.cause(workflow), workflow.kind) for workflow in workflows)
        scheduled = Counter((cause.base_name, kind) for cause, kind in causes if cause)
        return build_rows(
            sent=sent,
            scheduled=scheduled,
            changes=Counter(flag.base_name for flags in self._flags_set.values() for flag in flags),
            failures={base_name: metrics.failures(base_name) for base_name in sent},
            delays=event_log.delays(workflows),
        )

    async def _run_scenario(self, scenario: Scenario) -> list[str]:
        sending = asyncio.ensure_future(scenario.start(self.context))

        async def unsent() -> list[str]:
            if not sending.done():
                return ["not all of its first messages are sent"]
            await sending
            return []

        try:
            return await self._wait_until_met(unsent) or await self._wait_until_met(
                partial(self._open_conditions, scenario)
            )
        finally:
            sending.cancel()

    async def _wait_until_met(self, check: Check) -> list[str]:
        """Wait until a check returns nothing, a worker or server is gone, or the time is over; return what is unmet."""
        loop = asyncio.get_running_loop()
        deadline, checks = loop.time() + _TIMEOUT, 0
        while (unmet := await run_check(check)) and loop.time() < deadline:
            checks += 1
            if checks % _CHECKS_PER_PROBLEM_SEARCH == 0 and (problems := await self._fatal_problems()):
                return [*problems, *unmet]
            await asyncio.sleep(_CHECK_INTERVAL)
        return unmet

    async def _fatal_problems(self) -> list[str]:
        self._dead_processes = await asyncio.to_thread(self.find_dead_processes)
        return self._dead_processes or (await self.workers.metrics()).problems()

    async def _open_conditions(self, scenario: Scenario) -> list[str]:
        workflows, event_log = self.context.sandbox.cluster.created, self.context.event_log
        expected, number = scenario.expected(self.context), scenario.number
        counts = expected.unmet_counts(event_log.counts(number), event_log.scheduled(workflows, number))
        unset = await asyncio.to_thread(expected.unset_flags, self.context.knowledge.graph_seed)
        self._print_new_flags(number, set(expected.flags) - set(unset))
        unfinished = sorted(name for name, phase in self.context.phases().items() if phase in _UNFINISHED_PHASES)
        return [
            *counts,
            *(f"flag not set in the graph: {flag}" for flag in unset),
            *(f"workflow {name} is not finished" for name in unfinished),
            *await scenario.open_items(self.context),
        ]

    def _print_new_flags(self, number: int, flags: set[Flag]) -> None:
        printed = self._flags_set.setdefault(number, set())
        for flag in sorted(flags - printed, key=str):
            self.context.print_line(f"  {flag.base_name.rsplit('.', 1)[-1]} → flag set in the graph: {flag}")
        printed |= flags

    async def _unhandled_messages(self) -> list[str]:
        sent = Counter(each.base_name for each in self.context.event_log.messages())
        scheduling = Counter({name: count for name, count in sent.items() if name != ADVISE_JUSTIFICATION})
        return [*await self._unhandled_in(SCHEDULING, scheduling), *await self._unhandled_in(METRICS, sent)]

    async def _unhandled_in(self, modes: tuple[str, ...], sent: Mapping[str, int]) -> list[str]:
        metrics = await self.workers.metrics(self.workers.with_modes(modes))
        handled = {f"{name} messages handled in {' and '.join(modes)} mode": metrics.handled(name) for name in sent}
        return shortfalls(dict(zip(handled, sent.values(), strict=True)), handled)

    def _unexpected_workflows(self) -> list[str]:
        unexpected = self.context.event_log.without_cause(self.context.sandbox.cluster.created)
        return [f"no message of the run caused workflow {workflow.name}" for workflow in unexpected]

    def _failed_workflows(self) -> list[str]:
        good_phases = (*_UNFINISHED_PHASES, _SUCCEEDED)
        phases = self.context.phases().items()
        return [f"workflow {name} is {phase}" for name, phase in phases if phase not in good_phases]

    async def _wrong_metrics(self) -> list[str]:
        every_worker = await self.workers.metrics()
        counting = await self.workers.metrics(self.workers.with_modes(METRICS))
        sent = self.context.event_log.messages()
        counted = {
            f"{name} messages counted": int(counting.total(_MESSAGE_COUNTER, message_type=message_type_label(name)))
            for name in dict.fromkeys(each.base_name for each in sent)
        }
        justified = sum(each.message.fields["count"] for each in sent if each.base_name == ADVISE_JUSTIFICATION)
        gauge = {"justifications on the gauge": int(counting.total(_JUSTIFICATION_GAUGE))}
        return [
            *self.workers.exit_messages(),
            *every_worker.problems(),
            *shortfalls(Counter(f"{each.base_name} messages counted" for each in sent), counted),
            *shortfalls(dict.fromkeys(gauge, justified), gauge),
        ]

    def _leaked_passwords(self) -> list[str]:
        logs = {str(member): member.worker.log_text() for member in self.workers.members}
        leaking = [name for name, log in logs.items() if any(password in log for password in PASSWORDS)]
        return [f"the log of {name} contains a password" for name in leaking]


async def run_check(check: Check) -> list[str]:
    """Return the result of a check; if a server fails during the check, return the error as one line."""
    try:
        return await check()
    except SERVER_ERRORS as error:
        return [f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"]


def outcome_line(scenario: Scenario, unmet: list[str]) -> str:
    """Return a line that says whether the loop of a scenario is closed, and if not, why."""
    name = f"{scenario.number} {scenario.title}"
    return f"{name}: not closed: {'; '.join(unmet)}" if unmet else f"{name}: closed: {scenario.outcome}"

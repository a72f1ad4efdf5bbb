# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the scenarios one after the other, waits for each loop to close, and judges the whole at the end."""

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
from sandbox.play.report import Row, rows
from sandbox.play.scenario import Scenario
from sandbox.play.scenarios import SCENARIOS
from sandbox.play.workers import ACTING, METRICS, WorkerPool, label_of

__all__ = ["SERVER_ERRORS", "ScenarioRunner", "closing"]

# A scenario takes some seconds; on a busy machine everything together may take several times as long.
_PATIENCE = 40.0
_LOOK_EVERY = 0.1
_ASK_EVERY = 10  # looks

_UNPLAYED = "it was not played"
_UNDER_WAY, _WELL = ("Pending", "Running"), "Succeeded"

_JUSTIFICATION = "thoth.advise-reporter.advise-justification"
_COUNTED = "message_count_by_version_total"
_GAUGE = "thoth_advise_justification_type_number"

#: What goes wrong where the broker or the database is gone.
SERVER_ERRORS = (KafkaError, psycopg2.Error)

Check = Callable[[], Awaitable[list[str]]]


@dataclass
class ScenarioRunner:
    """One run of all scenarios.

    Attributes:
        world: what the story happens in.
        crew: the workers.
        troubles: gives what makes all waiting useless: a server or worker that is gone.
        lacking: by the number of a scenario, what its loop lacks for being closed.
    """

    world: ScenarioContext
    workers: WorkerPool
    troubles: Callable[[], list[str]]
    lacking: dict[int, list[str]] = field(default_factory=lambda: {each.number: [_UNPLAYED] for each in SCENARIOS})
    _gone: list[str] = field(default_factory=list)
    _set: dict[int, set[Flag]] = field(default_factory=dict)

    async def play(self) -> None:
        """Play the scenarios: all of them, whatever one lacks, unless a server or worker is gone."""
        for scenario in SCENARIOS:
            if self._gone:
                return
            self.world.tell("")
            self.world.tell(f"Scenario {scenario.number}: {scenario.title}")
            self.lacking[scenario.number] = await self._played(scenario)
            self.world.tell(f"  {closing(scenario, self.lacking[scenario.number])}")

    async def judge(self) -> list[str]:
        """Wait until all messages are handled, and give what is not as it should be."""
        if self._gone:
            return [*self._gone, *(text for text in self._of_scenarios() if not text.endswith(tuple(self._gone)))]
        unhandled = await self._until(self._unhandled)
        for scenario in SCENARIOS:
            self.lacking[scenario.number] = await guarded(partial(self._open, scenario))
        of_cluster = [*self._strays(), *self._failed()]
        return [*self._of_scenarios(), *unhandled, *of_cluster, *await self._from_workers(), *self._leaks()]

    def _of_scenarios(self) -> list[str]:
        return [f"scenario {number}: {text}" for number, texts in self.lacking.items() for text in texts]

    async def rows(self) -> list[Row]:
        """Give the rows of the table."""
        workflows, event_log = self.world.sandbox.cluster.created, self.world.event_log
        reading = await self.workers.read()
        sent = Counter(each.base_name for each in event_log.messages())
        causes = ((event_log.cause(workflow), workflow.kind) for workflow in workflows)
        scheduled = Counter((cause.base_name, kind) for cause, kind in causes if cause)
        return rows(
            sent=sent,
            scheduled=scheduled,
            changes=Counter(flag.base_name for flags in self._set.values() for flag in flags),
            failures={base_name: reading.failures(base_name) for base_name in sent},
            delays=event_log.delays(workflows),
        )

    async def _played(self, scenario: Scenario) -> list[str]:
        beginning = asyncio.ensure_future(scenario.begin(self.world))

        async def not_begun() -> list[str]:
            if not beginning.done():
                return ["its messages are not all sent"]
            await beginning
            return []

        try:
            return await self._until(not_begun) or await self._until(partial(self._open, scenario))
        finally:
            beginning.cancel()

    async def _until(self, check: Check) -> list[str]:
        """Wait until a check finds nothing lacking any more, or waiting is of no use; give what is lacking then."""
        loop = asyncio.get_running_loop()
        deadline, looks = loop.time() + _PATIENCE, 0
        while (lacking := await guarded(check)) and loop.time() < deadline:
            looks += 1
            if looks % _ASK_EVERY == 0 and (hopeless := await self._hopeless()):
                return [*hopeless, *lacking]
            await asyncio.sleep(_LOOK_EVERY)
        return lacking

    async def _hopeless(self) -> list[str]:
        self._gone = await asyncio.to_thread(self.troubles)
        return self._gone or (await self.workers.read()).troubles()

    async def _open(self, scenario: Scenario) -> list[str]:
        workflows, event_log = self.world.sandbox.cluster.created, self.world.event_log
        expected, number = scenario.expected(self.world), scenario.number
        counts = expected.lacking(event_log.counts(number), event_log.scheduled(workflows, number))
        unset = await asyncio.to_thread(expected.unset, self.world.knowledge.rows)
        self._tell_flags(number, set(expected.flags) - set(unset))
        running = sorted(name for name, phase in self.world.phases().items() if phase in _UNDER_WAY)
        return [
            *counts,
            *(f"not in the graph: {flag}" for flag in unset),
            *(f"{name} has not ended" for name in running),
            *await scenario.still_open(self.world),
        ]

    def _tell_flags(self, number: int, flags: set[Flag]) -> None:
        told = self._set.setdefault(number, set())
        for flag in sorted(flags - told, key=str):
            self.world.tell(f"  {flag.base_name.rsplit('.', 1)[-1]} → graph: {flag}")
        told |= flags

    async def _unhandled(self) -> list[str]:
        sent = Counter(each.base_name for each in self.world.event_log.messages())
        acting = Counter({name: count for name, count in sent.items() if name != _JUSTIFICATION})
        return [*await self._behind(ACTING, acting), *await self._behind(METRICS, sent)]

    async def _behind(self, modes: tuple[str, ...], sent: Mapping[str, int]) -> list[str]:
        reading = await self.workers.read(self.workers.with_modes(modes))
        handled = {f"{name} handled in {' and '.join(modes)} mode": reading.processed(name) for name in sent}
        return shortfalls(dict(zip(handled, sent.values(), strict=True)), handled)

    def _strays(self) -> list[str]:
        strays = self.world.event_log.strays(self.world.sandbox.cluster.created)
        return [f"nobody asked for the workflow {workflow.name}" for workflow in strays]

    def _failed(self) -> list[str]:
        phases = self.world.phases().items()
        return [f"the workflow {name} is {phase}" for name, phase in phases if phase not in (*_UNDER_WAY, _WELL)]

    async def _from_workers(self) -> list[str]:
        everybody = await self.workers.read()
        counting = await self.workers.read(self.workers.with_modes(METRICS))
        sent = self.world.event_log.messages()
        counted = {
            f"{name} counted": int(counting.total(_COUNTED, message_type=label_of(name)))
            for name in dict.fromkeys(each.base_name for each in sent)
        }
        justified = sum(each.message.fields["count"] for each in sent if each.base_name == _JUSTIFICATION)
        gauge = {"justifications on the gauge": int(counting.total(_GAUGE))}
        return [
            *self.workers.obituaries(),
            *everybody.troubles(),
            *shortfalls(Counter(f"{each.base_name} counted" for each in sent), counted),
            *shortfalls(dict.fromkeys(gauge, justified), gauge),
        ]

    def _leaks(self) -> list[str]:
        logs = {str(member): member.worker.log_text() for member in self.workers.members}
        return [f"a password is in the log of {name}" for name, log in logs.items() if any(p in log for p in PASSWORDS)]


async def guarded(check: Check) -> list[str]:
    """Give what a check finds lacking; where a server fails under it, that is what is lacking."""
    try:
        return await check()
    except SERVER_ERRORS as error:
        return [f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"]


def closing(scenario: Scenario, lacking: list[str]) -> str:
    """Say whether the loop of a scenario has closed, and if not, why."""
    name = f"{scenario.number} {scenario.title}"
    return f"{name}: not closed: {'; '.join(lacking)}" if lacking else f"{name}: closed: {scenario.closes}"

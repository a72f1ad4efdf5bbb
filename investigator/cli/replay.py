# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending dead letters again, from the command line."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import click

from investigator.cli.common import print_table, run, topics_of
from investigator.cli.filters import DeadLetterFilter, matching, selection_options
from investigator.cli.formatting import HEADINGS, row
from investigator.cli.newest import NewestN
from investigator.cli.ports import Operations
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, ReplayPolicy, Verdict
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.replay_log import Replayed

_LISTED = 100
_PROGRESS_SECONDS = 5.0

_REMEDIES = {
    Verdict.SENT_BEFORE: "; --again sends them once more",
    Verdict.TOO_OFTEN: "; a higher --max-replays sends them once more",
    Verdict.OTHER_GROUP: "; set KAFKA_CONSUMER_GROUP_ID to that one, or let every group handle it with --any-group",
    Verdict.UNKNOWN_ORIGIN: "; nobody knows where they came from",
}

_OPTIONS = (
    click.option("--all", "everything", is_flag=True, help="All of them, where nothing else says which."),
    click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing."),
    click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many messages a second."),
    click.option("--again", is_flag=True, help="Also those that were sent again before."),
    click.option(
        "--max-replays",
        type=click.IntRange(min=1),
        default=ReplayPolicy.max_replays,
        show_default=True,
        help="A message that came back as a dead letter so often stays.",
    ),
    click.option("--any-group", is_flag=True, help="Also those of other consumer groups; all groups handle them then."),
    click.option("--by", help="Who does it, for the record; by default the name of this machine."),
)


def replay(operations: Operations) -> click.Command:
    """Make the command that sends dead letters again."""

    @click.command("replay", short_help="Send dead letters again.")
    @click.argument("base_name", required=False)
    @selection_options
    @_replay_options
    def command(base_name: str | None, **options: Any) -> None:  # noqa: ANN401  the options
        """Send dead letters again, to the topics that they came from, as the messages that they were."""
        order, selection = _read(operations, options)
        run(operations, _replay(operations, topics_of(operations, base_name), selection, order))

    return command


def _replay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class _ReplayRequest:
    """What is asked for, beside which dead letters."""

    policy: ReplayPolicy
    by: str
    dry_run: bool
    rate: float | None


def _read(operations: Operations, options: dict[str, Any]) -> tuple[_ReplayRequest, DeadLetterFilter]:
    everything = options.pop("everything")
    policy = ReplayPolicy(operations.group, *(options.pop(name) for name in ("any_group", "again", "max_replays")))
    by = options.pop("by") or operations.operator
    order = _ReplayRequest(policy, by, options.pop("dry_run"), options.pop("rate"))
    selection = DeadLetterFilter(**options)
    if selection.is_everything and not everything:
        raise click.UsageError("Say which dead letters are to be sent again, or --all.")
    return order, selection


@dataclass
class _Plan:
    """What is going to happen to the dead letters of one topic; made before anything is sent.

    So a message that fails again at once, and comes back as another dead letter, is not met a second time.
    """

    twin: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    picked: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shown: NewestN[tuple[object, ...]] = field(default_factory=lambda: NewestN(_LISTED))

    def add(self, letter: DeadLetter, verdict: Verdict, replayed: Replayed | None, *, shown: bool) -> None:
        """Add a dead letter."""
        self.verdicts[verdict] += 1
        if verdict is Verdict.SEND:
            self.picked[letter.position.partition].add(letter.position.offset)
        if shown:
            self.shown.add(letter.position, (*row(letter, replayed)[:-1], verdict.value))


async def _replay(
    operations: Operations, topics: list[str], selection: DeadLetterFilter, order: _ReplayRequest
) -> None:
    async with operations.dead_letters(to_replay=not order.dry_run) as box:
        replayed = await box.replayed()
        plans = [await _plan(box, twin, selection, order, replayed) for twin in await box.topics(topics)]
        for plan in plans:
            _print(plan)
            if plan.picked and not order.dry_run:
                await _send(box, plan, order)
    if not any(plan.verdicts for plan in plans):
        click.echo("No dead letter is like that.")


async def _plan(
    box: DeadLetterStore,
    twin: str,
    selection: DeadLetterFilter,
    order: _ReplayRequest,
    replayed: Mapping[Origin, Replayed],
) -> _Plan:
    plan = _Plan(twin)
    async with aclosing(matching(box, twin, selection)) as letters:
        async for letter in letters:
            before = replayed.get(letter.position)
            verdict = order.policy.verdict(letter, sent_before=before is not None)
            plan.add(letter, verdict, before, shown=order.dry_run or verdict is not Verdict.SEND)
    return plan


def _print(plan: _Plan) -> None:
    if not plan.verdicts:
        return
    click.echo(f"{plan.twin}: {plan.verdicts.total()}")
    for verdict, count in plan.verdicts.items():
        click.echo(f"  {count} {verdict.value}{_REMEDIES.get(verdict, '')}")
    if rows := plan.shown.items():
        print_table((*HEADINGS[:-1], "DECISION"), rows)


async def _send(box: DeadLetterStore, plan: _Plan, order: _ReplayRequest) -> None:
    progress = _Progress(plan.verdicts[Verdict.SEND])
    try:
        await box.send(plan.twin, plan.picked, order.policy, by=order.by, rate=order.rate, on_sent=progress.add)
    finally:
        # However it ends: what was sent is remembered, and the same command goes on from there.
        click.echo(f"  sent {progress.sent} of {progress.of}")
    if progress.sent < progress.of:
        raise click.ClickException(f"{progress.of - progress.sent} of {plan.twin} are gone from it by now.")


@dataclass
class _Progress:
    """Says now and then how far it is."""

    of: int
    sent: int = 0
    told: float = field(default_factory=time.monotonic)

    def add(self) -> None:
        """Count one more."""
        self.sent += 1
        if time.monotonic() - self.told >= _PROGRESS_SECONDS:
            self.told = time.monotonic()
            click.echo(f"  {self.sent} of {self.of} …", err=True)

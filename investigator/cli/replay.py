# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that replays dead letters: it sends them to their original topics again."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import click

from investigator.cli.common import print_table, run, topics_of
from investigator.cli.filters import DeadLetterFilter, filter_options, matching
from investigator.cli.formatting import HEADINGS, cells_before_error
from investigator.cli.newest import NewestN
from investigator.cli.ports import Operations
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter, ReplayPolicy, Verdict
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.replay_codec import Replayed

_MAX_ROWS = 100
_PROGRESS_SECONDS = 5.0

_REMEDIES = {
    Verdict.SENT_BEFORE: "; --again replays them once more",
    Verdict.TOO_OFTEN: "; a higher --max-replays replays them once more",
    Verdict.OTHER_GROUP: "; set KAFKA_CONSUMER_GROUP_ID to that group, or replay for all groups with --any-group",
    Verdict.UNKNOWN_ORIGIN: "; their original topic is unknown",
}

_NO_KEY = (
    "THOTH_INVESTIGATOR_REPLAY_KEY is not set, so workers can't recognize replays. They handle each as a new message, "
    "in every consumer group, and run steps again that have succeeded. Set the key that the workers have, or accept "
    "that with --as-new."
)

_OPTIONS = (
    click.option("--all", "everything", is_flag=True, help="Replay all dead letters; required without other criteria."),
    click.option("--dry-run", is_flag=True, help="Show what would be replayed, and write nothing."),
    click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="The maximum of messages per second."),
    click.option("--again", is_flag=True, help="Also replay dead letters that were replayed before."),
    click.option(
        "--max-replays",
        type=click.IntRange(min=1),
        default=ReplayPolicy.max_replays,
        show_default=True,
        help="Skip messages that were replayed this number of times.",
    ),
    click.option("--any-group", is_flag=True, help="Also replay those of other consumer groups, for all groups."),
    click.option("--as-new", is_flag=True, help="Replay without a key: workers handle the replays as new messages."),
    click.option("--by", help="The operator, for the replay log; by default the name of this machine."),
)


def replay(operations: Operations) -> click.Command:
    """Return the command that replays dead letters."""

    @click.command("replay", short_help="Replay dead letters.")
    @click.argument("base_name", required=False)
    @filter_options
    @_replay_options
    def command(base_name: str | None, **options: Any) -> None:  # noqa: ANN401  the options
        """Replay dead letters: send the original messages to their original topics again."""
        request, wanted = _read(operations, options)
        run(operations, _replay(operations, topics_of(operations, base_name), wanted, request))

    return command


def _replay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class _ReplayRequest:
    """The options of a replay, apart from the filter."""

    policy: ReplayPolicy
    by: str
    dry_run: bool
    rate: float | None


def _read(operations: Operations, options: dict[str, Any]) -> tuple[_ReplayRequest, DeadLetterFilter]:
    everything, as_new = options.pop("everything"), options.pop("as_new")
    policy = ReplayPolicy(operations.group, *(options.pop(name) for name in ("any_group", "again", "max_replays")))
    by = options.pop("by") or operations.operator
    request = _ReplayRequest(policy, by, options.pop("dry_run"), options.pop("rate"))
    wanted = DeadLetterFilter(**options)
    if wanted.is_empty and not everything:
        raise click.UsageError("Give at least one criterion for the dead letters to replay, or --all.")
    if not (operations.proves_replays or as_new or request.dry_run):
        raise click.ClickException(_NO_KEY)
    return request, wanted


@dataclass
class _Plan:
    """The decisions about the matching dead letters of one dead-letter topic, made before the first one is sent.

    Therefore a message that fails again at once, and becomes another dead letter, is not replayed twice.
    """

    topic: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    to_send: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    rows: NewestN[tuple[object, ...]] = field(default_factory=lambda: NewestN(_MAX_ROWS))

    def add(self, dead_letter: DeadLetter, verdict: Verdict, replayed: Replayed | None, *, shown: bool) -> None:
        """Add the decision about a dead letter, and its row if it is to be shown."""
        self.verdicts[verdict] += 1
        if verdict is Verdict.SEND:
            self.to_send[dead_letter.position.partition].add(dead_letter.position.offset)
        if shown:
            self.rows.add(dead_letter.position, (*cells_before_error(dead_letter, replayed), verdict.value))


async def _replay(operations: Operations, topics: list[str], wanted: DeadLetterFilter, request: _ReplayRequest) -> None:
    async with operations.dead_letters(to_replay=not request.dry_run) as store:
        replayed = await store.replayed()
        plans = [await _plan(store, topic, wanted, request, replayed) for topic in await store.topics(topics)]
        for plan in plans:
            _print(plan)
            if plan.to_send and not request.dry_run:
                await _send(store, plan, request)
    if not any(plan.verdicts for plan in plans):
        click.echo("No dead letter matches.")


async def _plan(
    store: DeadLetterStore,
    topic: str,
    wanted: DeadLetterFilter,
    request: _ReplayRequest,
    replayed: Mapping[Origin, Replayed],
) -> _Plan:
    plan = _Plan(topic)
    async with aclosing(matching(store, topic, wanted)) as dead_letters:
        async for dead_letter in dead_letters:
            before = replayed.get(dead_letter.position)
            verdict = request.policy.verdict(dead_letter, sent_before=before is not None)
            plan.add(dead_letter, verdict, before, shown=request.dry_run or verdict is not Verdict.SEND)
    return plan


def _print(plan: _Plan) -> None:
    if not plan.verdicts:
        return
    click.echo(f"{plan.topic}: {plan.verdicts.total()}")
    for verdict, count in plan.verdicts.items():
        click.echo(f"  {count} {verdict.value}{_REMEDIES.get(verdict, '')}")
    if rows := plan.rows.items():
        print_table((*HEADINGS[:-1], "DECISION"), rows)


async def _send(store: DeadLetterStore, plan: _Plan, request: _ReplayRequest) -> None:
    progress = _Progress(plan.verdicts[Verdict.SEND])
    try:
        await store.send(
            plan.topic, plan.to_send, request.policy, by=request.by, rate=request.rate, on_sent=progress.add
        )
    finally:
        # The replay log has every message that was sent, so that the same command continues after an interruption.
        click.echo(f"  sent {progress.sent} of {progress.total}")
    if progress.sent < progress.total:
        raise click.ClickException(f"{progress.total - progress.sent} messages are no longer in {plan.topic}.")


@dataclass
class _Progress:
    """Prints the number of sent messages every few seconds."""

    total: int
    sent: int = 0
    printed_at: float = field(default_factory=time.monotonic)

    def add(self) -> None:
        """Count one more sent message."""
        self.sent += 1
        if time.monotonic() - self.printed_at >= _PROGRESS_SECONDS:
            self.printed_at = time.monotonic()
            click.echo(f"  {self.sent} of {self.total} …", err=True)

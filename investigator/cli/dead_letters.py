# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that list dead letters and show one of them."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import click

from investigator.cli.common import base_name_of, json_option, print_json, print_table, run, topics_of
from investigator.cli.filters import DeadLetterFilter, filter_options, matching
from investigator.cli.formatting import HEADINGS, details, print_details, row, summary, without_large_parts
from investigator.cli.masking import Masking
from investigator.cli.newest import NewestN
from investigator.cli.ports import Operations
from investigator.cli.replay import replay
from investigator.delivery.dead_letters import dead_letter_topic
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.replay_codec import Replayed

_DEFAULT_LIMIT = 100


def dead_letters(operations: Operations) -> click.Group:
    """Return the command group `dead-letters`."""

    @click.group("dead-letters", short_help="List, show and replay failed messages.")
    def group() -> None:
        """List, show and replay the failed messages in dead-letter topics."""

    for command in (_list_command(operations), _show_command(operations), replay(operations)):
        group.add_command(command)
    return group


def _list_command(operations: Operations) -> click.Command:
    @click.command("list")
    @click.argument("base_name", required=False)
    @filter_options
    @click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=_DEFAULT_LIMIT,
        show_default=True,
        help="List at most this number of dead letters per topic, the latest ones; 0 for all.",
    )
    @json_option
    def command(base_name: str | None, *, limit: int, as_json: bool, **criteria: Any) -> None:  # noqa: ANN401  the options
        """List the dead letters of one topic or of all topics."""
        topics = topics_of(operations, base_name)
        run(operations, _list(operations, topics, DeadLetterFilter(**criteria), limit or None, as_json=as_json))

    return command


def _show_command(operations: Operations) -> click.Command:
    @click.command("show")
    @click.argument("base_name")
    @click.option("--partition", type=click.IntRange(min=0), required=True, help="Its partition.")
    @click.option("--offset", type=click.IntRange(min=0), required=True, help="Its offset in the partition.")
    @json_option
    def command(base_name: str, *, partition: int, offset: int, as_json: bool) -> None:
        """Show one dead letter completely, with passwords masked."""
        topic = operations.topics[base_name_of(operations, base_name)]
        run(operations, _show(operations, topic, DeadLetterFilter(partition, (offset, offset)), as_json=as_json))

    return command


def _masking(operations: Operations) -> Masking:
    return Masking(operations.secret_fields, operations.redactor)


async def _newest(
    limit: int | None, dead_letters: AsyncGenerator[DeadLetter, None], mask: Masking
) -> NewestN[DeadLetter]:
    newest = NewestN[DeadLetter](limit)
    async with aclosing(dead_letters):
        async for dead_letter in dead_letters:
            newest.add(dead_letter.position, without_large_parts(dead_letter, mask))
    return newest


async def _list(
    operations: Operations, topics: list[str], wanted: DeadLetterFilter, limit: int | None, *, as_json: bool
) -> None:
    mask = _masking(operations)
    async with operations.dead_letters() as store:
        dead_letter_topics = await store.topics(topics)
        searches = [_newest(limit, matching(store, topic, wanted), mask) for topic in dead_letter_topics]
        replayed, found = await asyncio.gather(store.replayed(), asyncio.gather(*searches))
    if as_json:
        for dead_letter in [dead_letter for newest in found for dead_letter in newest.items()]:
            print_json(summary(dead_letter, replayed.get(dead_letter.position), mask))
    else:
        by_topic = zip(dead_letter_topics, found, strict=True)
        _print({topic: newest for topic, newest in by_topic if newest.count}, replayed, mask)


def _print(found: Mapping[str, NewestN[DeadLetter]], replayed: Mapping[Origin, Replayed], mask: Masking) -> None:
    if not found:
        click.echo("No dead letter.")
    for topic, newest in found.items():
        click.echo(newest.heading(topic))
        rows = [row(each, replayed.get(each.position), mask) for each in newest.items()]
        print_table(HEADINGS, rows)


async def _show(operations: Operations, topic: str, wanted: DeadLetterFilter, *, as_json: bool) -> None:
    async with operations.dead_letters() as store:
        dead_letter = await _only(store, topic, wanted)
        replayed = (await store.replayed()).get(dead_letter.position)
    content = details(dead_letter, replayed, _masking(operations))
    if as_json:
        print_json(content)
    else:
        print_details(content)


async def _only(store: DeadLetterStore, topic: str, wanted: DeadLetterFilter) -> DeadLetter:
    for existing in await store.topics([topic]):
        async with aclosing(matching(store, existing, wanted)) as dead_letters:
            async for dead_letter in dead_letters:
                return dead_letter
    position = f"[{wanted.partition}]@{(wanted.offsets or (0,))[0]}"
    raise click.ClickException(f"There is no dead letter at {dead_letter_topic(topic)}{position}.")

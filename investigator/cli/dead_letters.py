# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters on the command line: what is there, and what is in one of them."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import click

from investigator.cli.common import base_name_of, json_option, print_json, print_table, run, topics_of
from investigator.cli.filters import DeadLetterFilter, matching, selection_options
from investigator.cli.formatting import HEADINGS, details, print_details, row, summary
from investigator.cli.masking import Masking
from investigator.cli.newest import NewestN
from investigator.cli.ports import Operations
from investigator.cli.replay import replay
from investigator.delivery.dead_letters import dead_letter_topic
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.kafka.replay_log import Replayed

_LISTED = 100


def dead_letters(operations: Operations) -> click.Group:
    """Make the group of commands."""

    @click.group("dead-letters", short_help="Messages that were given up and kept.")
    def group() -> None:
        """See the messages that were given up and kept, and send them again."""

    for command in (_list_command(operations), _show_command(operations), replay(operations)):
        group.add_command(command)
    return group


def _list_command(operations: Operations) -> click.Command:
    @click.command("list")
    @click.argument("base_name", required=False)
    @selection_options
    @click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=_LISTED,
        show_default=True,
        help="At most so many of each topic, the latest ones; 0 for all.",
    )
    @json_option
    def command(base_name: str | None, *, limit: int, as_json: bool, **selection: Any) -> None:  # noqa: ANN401  the options
        """List dead letters, of one topic or of all."""
        topics = topics_of(operations, base_name)
        run(operations, _list(operations, topics, DeadLetterFilter(**selection), limit or None, as_json=as_json))

    return command


def _show_command(operations: Operations) -> click.Command:
    @click.command("show")
    @click.argument("base_name")
    @click.option("--partition", type=click.IntRange(min=0), required=True, help="The partition it is in.")
    @click.option("--offset", type=click.IntRange(min=0), required=True, help="Its offset there.")
    @json_option
    def command(base_name: str, *, partition: int, offset: int, as_json: bool) -> None:
        """Show everything about one dead letter, except for passwords."""
        topic = operations.topics[base_name_of(operations, base_name)]
        run(operations, _show(operations, topic, DeadLetterFilter(partition, (offset, offset)), as_json=as_json))

    return command


async def _latest(limit: int | None, letters: AsyncGenerator[DeadLetter, None]) -> NewestN[DeadLetter]:
    found = NewestN[DeadLetter](limit)
    async with aclosing(letters):
        async for letter in letters:
            found.add(letter.position, letter.slim())
    return found


async def _list(
    operations: Operations, topics: list[str], selection: DeadLetterFilter, limit: int | None, *, as_json: bool
) -> None:
    async with operations.dead_letters() as box:
        twins = await box.topics(topics)
        searches = [_latest(limit, matching(box, twin, selection)) for twin in twins]
        replayed, found = await asyncio.gather(box.replayed(), asyncio.gather(*searches))
    if as_json:
        for letter in [letter for each in found for letter in each.items()]:
            print_json(summary(letter, replayed.get(letter.position)))
    else:
        _print({twin: each for twin, each in zip(twins, found, strict=True) if each.count}, replayed)


def _print(found: Mapping[str, NewestN[DeadLetter]], replayed: Mapping[Origin, Replayed]) -> None:
    if not found:
        click.echo("No dead letter.")
    for twin, each in found.items():
        click.echo(each.heading(twin))
        print_table(HEADINGS, [row(letter, replayed.get(letter.position)) for letter in each.items()])


async def _show(operations: Operations, topic: str, selection: DeadLetterFilter, *, as_json: bool) -> None:
    async with operations.dead_letters() as box:
        letter = await _only(box, topic, selection)
        replayed = (await box.replayed()).get(letter.position)
    mask = Masking(operations.secret_fields, operations.redactor)
    content = details(letter, replayed, mask)
    if as_json:
        print_json(content)
    else:
        print_details(content)


async def _only(box: DeadLetterStore, topic: str, selection: DeadLetterFilter) -> DeadLetter:
    for twin in await box.topics([topic]):
        async with aclosing(matching(box, twin, selection)) as letters:
            async for letter in letters:
                return letter
    at = f"[{selection.partition}]@{(selection.offsets or (0,))[0]}"
    raise click.ClickException(f"There is no dead letter at {dead_letter_topic(topic)}{at}.")

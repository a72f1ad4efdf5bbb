# SPDX-License-Identifier: GPL-3.0-or-later
"""What all commands share: how they run, how they fail, how they print."""

import asyncio
import json
import logging
import shutil
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from investigator.cli.masking import printable
from investigator.cli.ports import Operations
from investigator.kafka.errors import KafkaConnectionError, KafkaError

F = TypeVar("F", bound=Callable[..., Any])

_UNBOUNDED = 10_000
_LOUD = {"aiokafka": logging.CRITICAL, "investigator": logging.WARNING}
_REMEDY = "See that it runs, and that KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL and their like are right."


def run(operations: Operations, work: Coroutine[Any, Any, None]) -> None:
    """Run what a command does; where Kafka is the trouble, say so and end with status 1."""
    try:
        with _quiet():
            asyncio.run(work)
    except KafkaConnectionError as error:
        raise click.ClickException(f"Kafka at {operations.servers} can't be reached. {_REMEDY} ({error})") from error
    except KafkaError as error:
        raise click.ClickException(f"Kafka at {operations.servers}: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what a worker would log: what went wrong is said by the command's error, and better."""
    levels = {logging.getLogger(name): level for name, level in _LOUD.items()}
    before = {logger: logger.level for logger in levels}
    for logger, level in levels.items():
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def base_name_of(operations: Operations, given: str) -> str:
    """Give the base name that is meant by it, by the full name of its topic or by that of its dead letters."""
    name = given.removesuffix("-dlt")
    for base_name, topic in operations.topics.items():
        if name in (base_name, topic):
            return base_name
    known = "\n  ".join(sorted(operations.topics))
    raise click.ClickException(f"Unknown base topic name {given!r}; known are:\n  {known}")


def topics_of(operations: Operations, given: str | None) -> list[str]:
    """Give the full name of the topic that is meant; those of all topics where nothing was given."""
    topics = operations.topics
    return list(topics.values()) if given is None else [topics[base_name_of(operations, given)]]


def json_option(command: F) -> F:
    """Add the option --json, which may also stand where Faust has its own, before the command."""

    def ask_faust(context: click.Context, _parameter: click.Parameter, given: bool) -> bool:  # noqa: FBT001  click's signature
        return given or bool(context.find_root().params.get("json"))

    option = click.option("--json", "as_json", is_flag=True, callback=ask_faust, help="One JSON object a line.")
    return option(command)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one object on one line."""
    click.echo(json.dumps(content))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns; the last one is cut at the terminal's edge, and not at all where there is no terminal."""
    cells = [list(headings), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    edge = shutil.get_terminal_size((_UNBOUNDED, 0)).columns
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(text if len(text) <= edge else f"{text[: edge - 1]}…")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts that all commands share: running, errors and output."""

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

_UNLIMITED_WIDTH = 10_000
_LOG_LEVELS = {"aiokafka": logging.CRITICAL, "investigator": logging.WARNING}
_REMEDY = "Check that it runs, and check KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL and the related settings."


def run(operations: Operations, work: Coroutine[Any, Any, None]) -> None:
    """Run the coroutine of a command; turn a KafkaError into an error message with exit status 1."""
    try:
        with _reduced_logging():
            asyncio.run(work)
    except KafkaConnectionError as error:
        raise click.ClickException(f"Kafka at {operations.servers} can't be reached. {_REMEDY} ({error})") from error
    except KafkaError as error:
        raise click.ClickException(f"Kafka at {operations.servers}: {error}") from error


@contextmanager
def _reduced_logging() -> Iterator[None]:
    """Suppress log lines of a worker: the error message of the command states the problem, and its remedy."""
    levels = {logging.getLogger(name): level for name, level in _LOG_LEVELS.items()}
    before = {logger: logger.level for logger in levels}
    for logger, level in levels.items():
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def base_name_of(operations: Operations, given: str) -> str:
    """Return the base name of a topic that is given by base name, full name, or the name of its dead-letter topic.

    Raises:
        click.ClickException: there is no such topic; the message lists the known base names.
    """
    name = given.removesuffix("-dlt")
    for base_name, topic in operations.topics.items():
        if name in (base_name, topic):
            return base_name
    known = "\n  ".join(sorted(operations.topics))
    raise click.ClickException(f"Unknown base topic name {given!r}; known are:\n  {known}")


def topics_of(operations: Operations, given: str | None) -> list[str]:
    """Return the full name of the given topic, or those of all topics where none is given."""
    topics = operations.topics
    return list(topics.values()) if given is None else [topics[base_name_of(operations, given)]]


def json_option(command: F) -> F:
    """Add the option --json to a command; Faust's own option --json, before the command, has the same effect."""

    def or_faust_option(context: click.Context, _parameter: click.Parameter, given: bool) -> bool:  # noqa: FBT001  click's signature
        return given or bool(context.find_root().params.get("json"))

    option = click.option(
        "--json", "as_json", is_flag=True, callback=or_faust_option, help="Print one JSON object per line."
    )
    return option(command)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one object on one line."""
    click.echo(json.dumps(content))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; cut lines at the width of the terminal, but never where the output is not a terminal."""
    cells = [list(headings), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    line_width = shutil.get_terminal_size((_UNLIMITED_WIDTH, 0)).columns
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(text if len(text) <= line_width else f"{text[: line_width - 1]}…")

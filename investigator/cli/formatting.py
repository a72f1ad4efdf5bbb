# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of dead letters: a row of a table, an object for scripts, or all details."""

from dataclasses import replace
from typing import Any

import click

from investigator.cli.masking import Masking, printable
from investigator.delivery.dead_letters import ATTEMPTS, EXCEPTION, ORIGINAL, REPLAYS, Headers
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter
from investigator.kafka.replay_codec import Replayed
from investigator.observability.time_format import format_timestamp

HEADINGS = ("PARTITION", "OFFSET", "FAILED AT", "ORIGINAL", "ATTEMPTS", "REPLAYS", "LAST REPLAY", "ERROR")

_INTEGER_HEADERS = {ATTEMPTS, REPLAYS, *(ORIGINAL + name for name in ("partition", "offset", "timestamp"))}
_INTEGER_SIZES = (4, 8)


def without_large_parts(dead_letter: DeadLetter, mask: Masking) -> DeadLetter:
    """Return the dead letter for a list, its error masked as long as its value can tell the passwords."""
    mask(dead_letter.value)  # learns the passwords
    slim = dead_letter.slim()
    name = f"{EXCEPTION}message"
    headers = (header for header in slim.headers if header[0] != name)
    return replace(slim, headers=(*headers, (name, mask.text(dead_letter.error).encode())))


def row(dead_letter: DeadLetter, replayed: Replayed | None, mask: Masking) -> tuple[object, ...]:
    """Return the cells of a row, in the order of HEADINGS, with passwords masked."""
    error = f"{_short(dead_letter.error_class)}: {dead_letter.error}"
    return (*cells_before_error(dead_letter, replayed), mask.text(error))


def cells_before_error(dead_letter: DeadLetter, replayed: Replayed | None) -> tuple[object, ...]:
    """Return the cells of a row without the last one, the error."""
    original = dead_letter.original
    return (
        dead_letter.position.partition,
        dead_letter.position.offset,
        format_timestamp(dead_letter.position.timestamp_ms / 1000),
        "-" if original is None else f"[{original.partition}]@{original.offset}",
        dead_letter.attempts,
        dead_letter.replays,
        "-" if replayed is None else format_timestamp(replayed.at),
    )


def _short(class_name: str) -> str:
    return class_name.rsplit(".", 1)[-1]


def summary(dead_letter: DeadLetter, replayed: Replayed | None, mask: Masking) -> dict[str, Any]:
    """Return an object for scripts, without key, value and headers, with passwords masked."""
    return {
        **_position(dead_letter.position),
        "original": None if dead_letter.original is None else _position(dead_letter.original),
        "group": dead_letter.group,
        "error_class": dead_letter.error_class,
        "cause_class": dead_letter.cause_class,
        "error": mask.text(dead_letter.error),
        "attempts": dead_letter.attempts,
        "replays": dead_letter.replays,
        "replayed": None if replayed is None else {**vars(replayed), "at": format_timestamp(replayed.at)},
    }


def _position(position: Origin) -> dict[str, Any]:
    return {
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
        "timestamp": format_timestamp(position.timestamp_ms / 1000),
    }


def details(dead_letter: DeadLetter, replayed: Replayed | None, mask: Masking) -> dict[str, Any]:
    """Return all details of a dead letter, with passwords masked."""
    value = mask(dead_letter.value)  # first: `mask` learns the passwords that it finds in the value
    content = {
        **summary(dead_letter, replayed, mask),
        "key": None if dead_letter.key is None else mask.text(_text(dead_letter.key)),
        "headers": _readable_headers(dead_letter.headers, mask),
        "value": value,
        "trace": mask.text(dead_letter.trace),
    }
    return {name: mask.everywhere(each) for name, each in content.items()}


def _readable_headers(headers: Headers, mask: Masking) -> dict[str, str | int | None]:
    shown = [header for header in headers if not header[0].startswith(EXCEPTION)]
    return {name: None if content is None else _header(name, content, mask) for name, content in shown}


def _header(name: str, content: bytes, mask: Masking) -> str | int:
    is_number = name in _INTEGER_HEADERS and len(content) in _INTEGER_SIZES
    return int.from_bytes(content, "big") if is_number else mask.header(name, _text(content))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def print_details(content: dict[str, Any]) -> None:
    """Print the result of `details` as text."""
    for name, text in _fields(content):
        click.echo(f"{name:<12} {printable(text)}")
    click.echo("\nHeaders")
    for name, each in content["headers"].items():
        click.echo(f"  {printable(name)}: {'-' if each is None else printable(str(each))}")
    for title, text in (("Value", content["value"]), ("Trace", content["trace"])):
        click.echo(f"\n{title}")
        for line in ["(null: a tombstone)"] if text is None else text.splitlines():
            click.echo(f"  {printable(line)}")


def _fields(content: dict[str, Any]) -> list[tuple[str, str]]:
    original, replayed = content["original"], content["replayed"]
    return [
        ("Dead letter", f"{_at(content)}, written {content['timestamp']}"),
        ("Original", "unknown" if original is None else f"{_at(original)}, sent {original['timestamp']}"),
        ("Group", f"{content['group']}, failed after {content['attempts']} attempts"),
        ("Replays", str(content["replays"])),
        ("Replayed", "never" if replayed is None else _last_replay(replayed)),
        ("Error", f"{content['error_class']}: {content['error']}"),
        ("Caused by", content["cause_class"] or "-"),
        ("Key", "-" if content["key"] is None else content["key"]),
    ]


def _at(position: dict[str, Any]) -> str:
    return f"{position['topic']}[{position['partition']}]@{position['offset']}"


def _last_replay(replayed: dict[str, Any]) -> str:
    return f"{replayed['at']} by {replayed['by']}, now at [{replayed['partition']}]@{replayed['offset']}"

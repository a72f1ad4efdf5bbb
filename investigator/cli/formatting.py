# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters as they are shown: a line in a table, an object, or everything about one."""

from typing import Any

import click

from investigator.cli.masking import Masking, printable
from investigator.delivery.dead_letters import ATTEMPTS, EXCEPTION, ORIGINAL, REPLAYS, Headers
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter
from investigator.kafka.replay_log import Replayed
from investigator.observability.time_format import format_timestamp

HEADINGS = ("PARTITION", "OFFSET", "GIVEN UP", "ORIGINAL", "ATTEMPTS", "REPLAYS", "LAST REPLAY", "ERROR")

_NUMBERS = {ATTEMPTS, REPLAYS, *(ORIGINAL + name for name in ("partition", "offset", "timestamp"))}


def row(letter: DeadLetter, replayed: Replayed | None) -> tuple[object, ...]:
    """Give the cells of a table's row, as HEADINGS name them."""
    original = letter.original
    return (
        letter.position.partition,
        letter.position.offset,
        format_timestamp(letter.position.timestamp_ms / 1000),
        "-" if original is None else f"[{original.partition}]@{original.offset}",
        letter.attempts,
        letter.replays,
        "-" if replayed is None else format_timestamp(replayed.at),
        f"{_short(letter.error_class)}: {letter.error}",
    )


def _short(class_name: str) -> str:
    return class_name.rsplit(".", 1)[-1]


def summary(letter: DeadLetter, replayed: Replayed | None) -> dict[str, Any]:
    """Give an object for machines, without key, value and headers."""
    return {
        **_place(letter.position),
        "original": None if letter.original is None else _place(letter.original),
        "group": letter.group,
        "error_class": letter.error_class,
        "cause_class": letter.cause_class,
        "error": letter.error,
        "attempts": letter.attempts,
        "replays": letter.replays,
        "replayed": None if replayed is None else {**vars(replayed), "at": format_timestamp(replayed.at)},
    }


def _place(place: Origin) -> dict[str, Any]:
    at = format_timestamp(place.timestamp_ms / 1000)
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset, "timestamp": at}


def details(letter: DeadLetter, replayed: Replayed | None, mask: Masking) -> dict[str, Any]:
    """Give everything about a dead letter, its passwords masked."""
    value = mask(letter.value)  # first, for the passwords that it may teach
    content = {
        **summary(letter, replayed),
        "key": None if letter.key is None else _text(letter.key),
        "headers": _readable(letter.headers),
        "value": value,
        "trace": letter.trace,
    }
    return {name: mask.everywhere(each) for name, each in content.items()}


def _readable(headers: Headers) -> dict[str, str | int | None]:
    own = [header for header in headers if not header[0].startswith(EXCEPTION)]
    return {name: None if each is None else _content(name, each) for name, each in own}


def _content(name: str, content: bytes) -> str | int:
    return int.from_bytes(content, "big") if name in _NUMBERS else _text(content)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def print_details(content: dict[str, Any]) -> None:
    """Print what `details` gave, for people."""
    for name, text in _lines(content):
        click.echo(f"{name:<12} {printable(text)}")
    click.echo("\nHeaders")
    for name, each in content["headers"].items():
        click.echo(f"  {printable(name)}: {'-' if each is None else printable(str(each))}")
    for title, text in (("Value", content["value"]), ("Trace", content["trace"])):
        click.echo(f"\n{title}")
        for line in ["(none: a tombstone)"] if text is None else text.splitlines():
            click.echo(f"  {printable(line)}")


def _lines(content: dict[str, Any]) -> list[tuple[str, str]]:
    original, replayed = content["original"], content["replayed"]
    return [
        ("Dead letter", f"{_where(content)}, written {content['timestamp']}"),
        ("Original", "unknown" if original is None else f"{_where(original)}, sent {original['timestamp']}"),
        ("Given up by", f"{content['group']}, after {content['attempts']} attempts"),
        ("Replays", str(content["replays"])),
        ("Replayed", "not from here" if replayed is None else _last_replay(replayed)),
        ("Error", f"{content['error_class']}: {content['error']}"),
        ("Caused by", content["cause_class"] or "-"),
        ("Key", "-" if content["key"] is None else content["key"]),
    ]


def _where(place: dict[str, Any]) -> str:
    return f"{place['topic']}[{place['partition']}]@{place['offset']}"


def _last_replay(replayed: dict[str, Any]) -> str:
    return f"{replayed['at']} by {replayed['by']}, is now at [{replayed['partition']}]@{replayed['offset']}"

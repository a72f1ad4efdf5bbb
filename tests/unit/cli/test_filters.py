# SPDX-License-Identifier: GPL-3.0-or-later
import time
from datetime import datetime, timezone

import click
import pytest

from investigator.cli.filters import DeadLetterFilter, Field, Offsets, TimeParam
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter

DEAD_LETTER = DeadLetter(
    Origin("stage.thoth.repo-init-dlt", 2, 17, 1_700_000_000_000),
    None,
    b'{"package_name": "flask", "count": 3, "debug": false, "metadata": {"package": "click"}, "url": null}',
    (
        ("kafka_dlt-exception-fqcn", b"thoth.storages.exceptions.NotFoundError"),
        ("kafka_dlt-exception-cause-fqcn", b"psycopg2.OperationalError"),
        ("kafka_dlt-exception-message", b"Connection REFUSED"),
    ),
)


@pytest.mark.parametrize(
    "wanted",
    [
        DeadLetterFilter(),
        DeadLetterFilter(partition=2),
        DeadLetterFilter(partition=2, offsets=(17, 17)),
        DeadLetterFilter(offsets=(10, None)),
        DeadLetterFilter(error="refused"),
        DeadLetterFilter(error="notfound"),
        DeadLetterFilter(error="operationalerror"),
        DeadLetterFilter(since=1_700_000_000.0),
        DeadLetterFilter(until=1_700_000_000.1),
        DeadLetterFilter(fields=(("package_name", "flask"),)),
        DeadLetterFilter(fields=(("count", "3"), ("debug", "false"))),
        DeadLetterFilter(fields=(("metadata.package", "click"),)),
        DeadLetterFilter(fields=(("url", "null"),)),
    ],
)
def test_a_dead_letter_that_satisfies_every_criterion_matches(wanted: DeadLetterFilter) -> None:
    """Each criterion alone, two together, and none."""
    assert DEAD_LETTER in wanted


@pytest.mark.parametrize(
    "wanted",
    [
        DeadLetterFilter(partition=0),
        DeadLetterFilter(offsets=(18, None)),
        DeadLetterFilter(offsets=(0, 16)),
        DeadLetterFilter(error="timeout"),
        DeadLetterFilter(since=1_700_000_000.1),
        DeadLetterFilter(until=1_700_000_000.0),
        DeadLetterFilter(fields=(("package_name", "Flask"),)),
        DeadLetterFilter(fields=(("package_name.x", "flask"),)),
        DeadLetterFilter(fields=(("absent", "null"),)),
        DeadLetterFilter(partition=2, error="timeout"),
    ],
)
def test_a_dead_letter_that_violates_one_criterion_does_not_match(wanted: DeadLetterFilter) -> None:
    """Each criterion alone, and one next to a satisfied one."""
    assert DEAD_LETTER not in wanted


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", b"[1]", b"3", b"[" * 100_000])
def test_a_value_that_is_not_a_json_object_has_no_fields(value: bytes | None) -> None:
    """Many dead letters are malformed messages, and the filter must not fail on them."""
    dead_letter = DeadLetter(DEAD_LETTER.position, None, value, ())
    assert dead_letter not in DeadLetterFilter(fields=(("package_name", "flask"),))
    assert dead_letter in DeadLetterFilter(partition=2)


def test_a_time_is_a_timestamp_or_an_age() -> None:
    """Timestamps without an offset are in UTC, as in logs and tables."""
    read = TimeParam().convert
    noon = datetime(2024, 5, 1, 12, tzinfo=timezone.utc).timestamp()
    assert read("2024-05-01T12:00", None, None) == noon
    assert read("2024-05-01T12:00:00Z", None, None) == noon
    assert read("2024-05-01T14:00+02:00", None, None) == noon
    for text, seconds in (("90s", 90), ("1.5m", 90), ("2h", 7200), ("3d", 259200)):
        assert read(text, None, None) == pytest.approx(time.time() - seconds, abs=5)


def test_offsets_are_a_single_one_or_an_inclusive_range() -> None:
    """A range may have no end."""
    read = Offsets().convert
    assert read("12", None, None) == (12, 12)
    assert read("12-30", None, None) == (12, 30)
    assert read("12-", None, None) == (12, None)


def test_the_value_of_a_field_may_contain_equality_signs() -> None:
    """The first equality sign separates the name from the value."""
    assert Field().convert("url=https://a.b/?c=d", None, None) == ("url", "https://a.b/?c=d")


@pytest.mark.parametrize(
    ("kind", "text"),
    [(TimeParam(), "yesterday"), (TimeParam(), "2 hours"), (Offsets(), "-3"), (Offsets(), "a"), (Field(), "flask")],
)
def test_an_invalid_parameter_is_refused_with_an_example(kind: click.ParamType, text: str) -> None:
    """The example shows a valid value."""
    with pytest.raises(click.BadParameter, match="like"):
        kind.convert(text, None, None)

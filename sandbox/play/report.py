# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that the run prints at its end: one row for each message type."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Row", "build_rows", "format_table"]

_TITLES = ("message type", "messages", "workflows", "graph changes", "failures", "median delay", "")
_MILLISECONDS = 1000


@dataclass(frozen=True)
class Row:
    """The totals of one message type.

    Attributes:
        name: the last part of the base name.
        messages: the number of messages sent.
        kinds: the number of workflows scheduled for them, by kind.
        changes: the number of flags that investigator set in the graph for them.
        failures: the number of messages that failed permanently or exhausted their retries.
        delay: the median time from a message to a workflow for it, in seconds; None if there was no workflow.
    """

    name: str
    messages: int
    kinds: Mapping[str, int]
    changes: int
    failures: int
    delay: float | None

    @property
    def workflows(self) -> int:
        """The number of workflows of all kinds."""
        return sum(self.kinds.values())

    def cells(self) -> tuple[str, ...]:
        """Return the text of each column."""
        delay = "" if self.delay is None else f"{self.delay * _MILLISECONDS:.0f} ms"
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        return (self.name, *_numbers(self.messages, self.workflows, self.changes, self.failures), delay, kinds)


def build_rows(
    sent: Mapping[str, int],
    scheduled: Mapping[tuple[str, str], int],
    changes: Mapping[str, int],
    failures: Mapping[str, int],
    delays: Mapping[str, Sequence[float]],
) -> list[Row]:
    """Return the rows of the table, in the order of `sent`.

    Args:
        sent: the number of messages, by base name.
        scheduled: the number of workflows, by base name and kind.
        changes: the number of flags set in the graph, by base name.
        failures: the number of failed messages, by base name.
        delays: the seconds from a message to each of its workflows, by base name.
    """
    return [
        Row(
            name=base_name.rsplit(".", 1)[-1],
            messages=count,
            kinds={kind: number for (name, kind), number in scheduled.items() if name == base_name},
            changes=changes.get(base_name, 0),
            failures=failures.get(base_name, 0),
            delay=median(delays[base_name]) if delays.get(base_name) else None,
        )
        for base_name, count in sent.items()
    ]


def format_table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table; the last line has the totals."""
    lines = [_TITLES, *(row.cells() for row in rows), _total_cells(rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TITLES))]
    texts = [_line(line, widths) for line in lines]
    rule = "-" * (sum(widths[:-1]) + 2 * (len(widths) - 2))
    return [texts[0], rule, *texts[1:-1], rule, texts[-1]]


def _total_cells(rows: Iterable[Row]) -> tuple[str, ...]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update(messages=row.messages, workflows=row.workflows, changes=row.changes, failures=row.failures)
    return ("total", *_numbers(total["messages"], total["workflows"], total["changes"], total["failures"]), "", "")


def _numbers(*numbers: int) -> tuple[str, ...]:
    return tuple(str(number) if number else "-" for number in numbers)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, last = cells
    columns = [name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True))]
    return "  ".join([*columns, last]).rstrip()

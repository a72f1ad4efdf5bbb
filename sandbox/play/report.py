# SPDX-License-Identifier: GPL-3.0-or-later
"""The table at the end of a story."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Row", "rows", "table"]

_TITLES = ("message", "messages", "workflows", "graph changes", "failures", "median time", "")
_MILLISECONDS = 1000


@dataclass(frozen=True)
class Row:
    """What came of all messages of one type.

    Attributes:
        name: the last part of the base name.
        messages: how many were sent.
        kinds: how many workflows of each kind were scheduled for them.
        changes: how many changes investigator made in the graph for them.
        failures: how many were given up.
        delay: the median time from a message to a workflow for it, in seconds; None where there was no workflow.
    """

    name: str
    messages: int
    kinds: Mapping[str, int]
    changes: int
    failures: int
    delay: float | None

    @property
    def workflows(self) -> int:
        """How many workflows were scheduled."""
        return sum(self.kinds.values())

    def cells(self) -> tuple[str, ...]:
        """Give the texts of the table's columns."""
        delay = "" if self.delay is None else f"{self.delay * _MILLISECONDS:.0f} ms"
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        return (self.name, *_numbers(self.messages, self.workflows, self.changes, self.failures), delay, kinds)


def rows(
    sent: Mapping[str, int],
    scheduled: Mapping[tuple[str, str], int],
    changes: Mapping[str, int],
    failures: Mapping[str, int],
    delays: Mapping[str, Sequence[float]],
) -> list[Row]:
    """Put together the rows of the table; everything is given by base name, in the order in which it is to be shown."""
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


def table(body: Sequence[Row]) -> list[str]:
    """Give the lines of the table, with a line of sums at its end."""
    lines = [_TITLES, *(row.cells() for row in body), _sums(body)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TITLES))]
    texts = [_line(line, widths) for line in lines]
    rule = "-" * (sum(widths[:-1]) + 2 * (len(widths) - 2))
    return [texts[0], rule, *texts[1:-1], rule, texts[-1]]


def _sums(body: Iterable[Row]) -> tuple[str, ...]:
    total: Counter[str] = Counter()
    for row in body:
        total.update(messages=row.messages, workflows=row.workflows, changes=row.changes, failures=row.failures)
    return ("all", *_numbers(total["messages"], total["workflows"], total["changes"], total["failures"]), "", "")


def _numbers(*numbers: int) -> tuple[str, ...]:
    return tuple(str(number) if number else "-" for number in numbers)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, last = cells
    columns = [name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True))]
    return "  ".join([*columns, last]).rstrip()

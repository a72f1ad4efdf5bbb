# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks after the soak test: messages that were lost, processed twice, out of order or wrongly dead-lettered."""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aiokafka import ConsumerRecord

from sandbox.soak.load import Sent, number_of
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["Verdict", "check_messages", "original_position"]


@dataclass
class Verdict:
    """The violations that the checks found; the soak test passed if there are none.

    Attributes:
        lost: numbers of valid messages without a workflow.
        duplicated: numbers of valid messages with several workflows.
        out_of_order: pairs of numbers with the same key, where the workflow of the later message was created first.
        not_dead_lettered: base names and positions of invalid messages without a dead letter.
        wrongly_dead_lettered: base names and positions of valid messages with a dead letter.
        other: descriptions of all other violations.
    """

    lost: list[int] = field(default_factory=list)
    duplicated: list[int] = field(default_factory=list)
    out_of_order: list[tuple[int, int]] = field(default_factory=list)
    not_dead_lettered: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    wrongly_dead_lettered: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether there are no violations."""
        return not any(vars(self).values())

    def lines(self) -> list[str]:
        """Return a printable line for each kind of violation, with its count and up to ten examples."""
        return [
            f"lost {len(self.lost)} {self.lost[:10] or ''}",
            f"processed twice {len(self.duplicated)} {self.duplicated[:10] or ''}",
            f"out of order within a key {len(self.out_of_order)} {self.out_of_order[:10] or ''}",
            f"invalid without a dead letter {len(self.not_dead_lettered)} {self.not_dead_lettered[:10] or ''}",
            f"valid with a dead letter {len(self.wrongly_dead_lettered)} {self.wrongly_dead_lettered[:10] or ''}",
            *self.other,
        ]


def check_messages(
    sent: Sent, created: Sequence[CreatedWorkflow], dead_letters: Mapping[str, Iterable[tuple[int, int]]]
) -> Verdict:
    """Compare the sent messages with the workflows, in the order of creation, and with the dead letters.

    `dead_letters` has the positions (partition, offset) of the original messages, by base name.
    """
    order = [number for workflow in created if (number := number_of(workflow.parameters)) is not None]
    counts = Counter(order)
    dead_lettered = {(base_name, position) for base_name, positions in dead_letters.items() for position in positions}
    invalid = {(base_name, position) for base_name, positions in sent.invalid.items() for position in positions}
    return Verdict(
        lost=sorted(sent.valid.keys() - counts.keys()),
        duplicated=sorted(number for number, count in counts.items() if count > 1),
        out_of_order=_out_of_order(order, sent.keyed.values()),
        not_dead_lettered=sorted(invalid - dead_lettered),
        wrongly_dead_lettered=sorted(dead_lettered - invalid),
    )


def _out_of_order(order: Sequence[int], keyed: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    first_created = {number: index for index, number in reversed(list(enumerate(order)))}
    return [
        (earlier, later)
        for numbers in keyed
        for present in [[number for number in numbers if number in first_created]]
        for earlier, later in pairwise(present)
        if first_created[earlier] > first_created[later]
    ]


def original_position(dead_letter: ConsumerRecord) -> tuple[int, int]:
    """Return the partition and offset of a dead letter's original message, from its headers."""
    headers = dict(dead_letter.headers)
    (partition,) = struct.unpack(">i", headers["kafka_dlt-original-partition"])
    (offset,) = struct.unpack(">q", headers["kafka_dlt-original-offset"])
    return partition, offset

# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks after the soak test: messages that were lost, processed twice, out of order or wrongly dead-lettered."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aiokafka import ConsumerRecord

from sandbox.soak.load import Sent

__all__ = ["Verdict", "check_messages", "original_position"]


@dataclass
class Verdict:
    """The violations that the checks found; the soak test passed if there are none.

    Attributes:
        lost: numbers of valid messages without all of their workflows or flags.
        duplicated: numbers of valid messages that led to the same workflow several times.
        out_of_order: pairs of numbers with the same key, where the later message had its first effect first.
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
    sent: Sent,
    effects: Mapping[int, Sequence[float]],
    repeated: Iterable[int],
    dead_letters: Mapping[str, Iterable[tuple[int, int]]],
) -> Verdict:
    """Compare the sent messages with their effects and with the dead letters.

    Args:
        sent: the messages.
        effects: the times of the distinct effects of each message, sorted, by the message's number.
        repeated: the numbers of messages with an effect that happened twice.
        dead_letters: the positions (partition, offset) of the original messages, by base name.
    """
    dead_lettered = {(base_name, position) for base_name, positions in dead_letters.items() for position in positions}
    invalid = {(base_name, position) for base_name, positions in sent.invalid.items() for position in positions}
    lost = [number for number, stream in sent.valid.items() if len(effects.get(number, ())) < stream.effects]
    return Verdict(
        lost=sorted(lost),
        duplicated=sorted(set(repeated)),
        out_of_order=_out_of_order(effects, sent.keyed.values()),
        not_dead_lettered=sorted(invalid - dead_lettered),
        wrongly_dead_lettered=sorted(dead_lettered - invalid),
    )


def _out_of_order(effects: Mapping[int, Sequence[float]], keyed: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    return [
        (earlier, later)
        for numbers in keyed
        for present in [[number for number in numbers if effects.get(number)]]
        for earlier, later in pairwise(present)
        if effects[earlier][0] > effects[later][0]
    ]


def original_position(dead_letter: ConsumerRecord) -> tuple[int, int]:
    """Return the partition and offset of a dead letter's original message, from its headers."""
    headers = dict(dead_letter.headers)
    (partition,) = struct.unpack(">i", headers["kafka_dlt-original-partition"])
    (offset,) = struct.unpack(">q", headers["kafka_dlt-original-offset"])
    return partition, offset

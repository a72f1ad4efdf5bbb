# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the messages: which were lost, done twice, or done before another one of their key."""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aiokafka import ConsumerRecord

from sandbox.soak.load import Sent, number_of
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["Verdict", "judge", "place_of"]


@dataclass
class Verdict:
    """What is wrong; all is well where nothing is.

    Attributes:
        lost: numbers of good messages without a workflow.
        twice: numbers of good messages with several.
        disordered: pairs of numbers with one key, of which the later one's workflow was created first.
        unkept: places of bad messages that are not among the dead letters, with their topics.
        misjudged: places of good messages among the dead letters, with their topics.
        other: anything else, in words.
    """

    lost: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)
    disordered: list[tuple[int, int]] = field(default_factory=list)
    unkept: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    misjudged: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not any(vars(self).values())

    def lines(self) -> list[str]:
        """Say it, each thing in a line."""
        return [
            f"lost {len(self.lost)} {self.lost[:10] or ''}",
            f"done twice {len(self.twice)} {self.twice[:10] or ''}",
            f"out of order within a key {len(self.disordered)} {self.disordered[:10] or ''}",
            f"bad ones not kept as dead letters {len(self.unkept)} {self.unkept[:10] or ''}",
            f"good ones among the dead letters {len(self.misjudged)} {self.misjudged[:10] or ''}",
            *self.other,
        ]


def judge(sent: Sent, created: Sequence[CreatedWorkflow], letters: Mapping[str, Iterable[tuple[int, int]]]) -> Verdict:
    """Compare what was sent with the workflows in the order of their creation, and with the dead letters' places."""
    order = [number for workflow in created if (number := number_of(workflow.parameters)) is not None]
    counts = Counter(order)
    kept = {(base_name, place) for base_name, places in letters.items() for place in places}
    bad = {(base_name, place) for base_name, places in sent.bad.items() for place in places}
    return Verdict(
        lost=sorted(sent.good.keys() - counts.keys()),
        twice=sorted(number for number, count in counts.items() if count > 1),
        disordered=_disordered(order, sent.keyed.values()),
        unkept=sorted(bad - kept),
        misjudged=sorted(kept - bad),
    )


def _disordered(order: Sequence[int], keyed: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    places = {number: place for place, number in reversed(list(enumerate(order)))}
    return [
        (earlier, later)
        for numbers in keyed
        for present in [[number for number in numbers if number in places]]
        for earlier, later in pairwise(present)
        if places[earlier] > places[later]
    ]


def place_of(letter: ConsumerRecord) -> tuple[int, int]:
    """Give partition and offset of the message that a dead letter was."""
    headers = dict(letter.headers)
    (partition,) = struct.unpack(">i", headers["kafka_dlt-original-partition"])
    (offset,) = struct.unpack(">q", headers["kafka_dlt-original-offset"])
    return partition, offset

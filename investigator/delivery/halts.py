# SPDX-License-Identifier: GPL-3.0-or-later
"""Which topics are halted, since when, by whom, over which messages, and what an operator decided about these.

The state is a fold over a log of records that all workers of a consumer group read in the same order: the last record
of a topic tells its state. So any worker that has read the log to its end knows what all others know, whatever
happened to it in between, and a compacted log is enough.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any


class Verb(str, Enum):
    """What is to happen to the message that halted a topic."""

    RETRY = "retry"
    SKIP = "skip"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True)
class Cause:
    """A message that was given up, as a halt names it."""

    partition: int
    offset: int
    error: str
    attempts: int

    @property
    def place(self) -> tuple[int, int]:
        """Where the message lies in its topic."""
        return self.partition, self.offset


@dataclass(frozen=True)
class State:
    """A record of the log: a topic is halted, or was resumed.

    Args:
        topic: the base name of the topic.
        halted: whether no messages of it are taken up.
        since: when it became so, in seconds since 1970.
        by: the worker or operator that halted or resumed it.
        causes: the messages over which it was halted; empty where an operator halted it.
        verb: what was decided about these messages when it was resumed.
    """

    topic: str
    halted: bool
    since: float
    by: str
    causes: tuple[Cause, ...] = ()
    verb: Verb = Verb.RETRY

    def to_json(self) -> bytes:
        """Give the record as it stands in the log."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, value: bytes) -> "State":
        """Read a record of the log; raises ValueError, KeyError or TypeError where it is none."""
        content: dict[str, Any] = json.loads(value)
        causes = tuple(Cause(**cause) for cause in content.pop("causes"))
        return cls(**{**content, "causes": causes, "verb": Verb(content["verb"])})

    def naming(self, cause: Cause) -> "State":
        """Give the same halt with one more cause."""
        others = tuple(other for other in self.causes if other.place != cause.place)
        return replace(self, causes=(*others, cause))

    def names(self, cause: Cause) -> bool:
        """Tell whether the halt is over this message, among others."""
        return any(other.place == cause.place for other in self.causes)


class Halts:
    """The states of all topics, as far as the log has been read."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    def apply(self, state: State) -> None:
        """Read the next record of the log."""
        self._states[state.topic] = state

    def states(self) -> Mapping[str, State]:
        """Give the last record of each topic that was ever halted."""
        return self._states

    def halt(self, topic: str) -> State | None:
        """Give the halt of a topic; None where it is not halted."""
        state = self._states.get(topic)
        return state if state is not None and state.halted else None

    def decision(self, topic: str, place: tuple[int, int]) -> tuple[Verb, Cause] | None:
        """Give what was decided about the message at (partition, offset) when its topic was resumed, if anything."""
        state = self._states.get(topic)
        if state is None or state.halted:
            return None
        return next(((state.verb, cause) for cause in state.causes if cause.place == place), None)


def halted(current: State | None, topic: str, *, at: float, by: str, cause: Cause | None) -> State:
    """Make the record that halts a topic, or that names one more cause of a halt that lasts."""
    halt = current if current is not None and current.halted else State(topic, halted=True, since=at, by=by)
    return halt if cause is None else halt.naming(cause)


def resumed(current: State | None, topic: str, *, at: float, by: str, verb: Verb) -> State:
    """Make the record that resumes a topic and carries the decision about the messages that had halted it."""
    causes = current.causes if current is not None and current.halted else ()
    return State(topic, halted=False, since=at, by=by, causes=causes, verb=verb)

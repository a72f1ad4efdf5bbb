# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the fault matrix: which expectations a measurement violates."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Expected", "Measurement", "p95", "ratio", "violations"]

#: The factor, and the seconds, by which a fault may delay messages that do not need the broken part.
_DELAY_FACTOR = 2.0
_DELAY_NOISE = 0.25
_RECOVERY_SECONDS = 15.0

Halts = Literal["never", "may", "must"]


@dataclass(frozen=True)
class Expected:
    """What must hold during and after a fault.

    Attributes:
        attempts: whether failed attempts are allowed; an outage of a dependency must not use up attempts.
        halts: whether the topics of the messages that need the broken part are halted; no other topic may be.
        final: whether the fault is an answer about the messages, so that they need no effects.
    """

    attempts: bool = False
    halts: Halts = "never"
    final: bool = False


@dataclass(frozen=True)
class Measurement:
    """What happened during and after a fault; times in seconds, infinite for what did not happen.

    Attributes:
        normal: the delays before the fault of the messages that do not need the broken part.
        delays: their delays during the fault.
        lost: the number of messages without all of their effects.
        twice: the number of effects that happened twice.
        attempts: the number of failed attempts.
        recovery: the time from the end of the fault until the messages that need the broken part had their effects.
        halted: the base names of the topics that were halted after the recovery.
        affected: the base names of the topics of the messages that need the broken part.
        is_met: whether any request has met the fault; otherwise the measurement shows nothing.
    """

    normal: Sequence[float]
    delays: Sequence[float]
    lost: int
    twice: int
    attempts: int
    recovery: float
    halted: frozenset[str]
    affected: frozenset[str]
    is_met: bool = True

    @property
    def wrongly_halted(self) -> frozenset[str]:
        """The halted topics whose messages do not need the broken part."""
        return self.halted - self.affected


def p95(delays: Sequence[float]) -> float:
    """Return the 95th percentile by the nearest rank; 0 without delays."""
    return sorted(delays)[math.ceil(0.95 * len(delays)) - 1] if delays else 0.0


def ratio(measurement: Measurement) -> float:
    """Return how many times longer the 95th percentile of the delays was during the fault; 1 without messages."""
    normal = p95(measurement.normal)
    return p95(measurement.delays) / normal if measurement.delays and normal else 1.0


def violations(expected: Expected, measured: Measurement, *, timed: bool = True) -> list[str]:
    """Return a text for each expectation that the measurement violates; without `timed`, ignore slow messages."""
    times = [*_delays(measured), *_recovery(expected, measured)] if timed else []
    return [*times, *_messages(expected, measured), *_halts(expected, measured)]


def _delays(measured: Measurement) -> Iterator[str]:
    if p95(measured.delays) > max(_DELAY_FACTOR * p95(measured.normal), p95(measured.normal) + _DELAY_NOISE):
        yield f"others are delayed by the factor {ratio(measured):.1f}"


def _messages(expected: Expected, measured: Measurement) -> Iterator[str]:
    if not measured.is_met:
        yield "no request has met the fault"
    if measured.lost:
        yield f"{measured.lost} messages are lost"
    if measured.twice:
        yield f"{measured.twice} effects happened twice"
    if measured.attempts and not expected.attempts:
        yield f"{measured.attempts} attempts are used up"


def _recovery(expected: Expected, measured: Measurement) -> Iterator[str]:
    if measured.recovery > _RECOVERY_SECONDS and expected.halts == "never":
        yield f"the recovery took {measured.recovery:.0f} s"


def _halts(expected: Expected, measured: Measurement) -> Iterator[str]:
    if wrong := measured.wrongly_halted | (measured.halted if expected.halts == "never" else frozenset()):
        yield f"halted: {', '.join(sorted(wrong))}"
    if expected.halts == "must" and (missing := measured.affected - measured.halted):
        yield f"not halted: {', '.join(sorted(missing))}"

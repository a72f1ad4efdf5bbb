# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of the fault matrix: each expectation has a measurement that violates it, and one that just does not."""

import math
from dataclasses import replace

import pytest

from sandbox.fault_matrix.rows import ROWS, selected
from sandbox.fault_matrix.streams import STREAMS, number_in
from sandbox.fault_matrix.verdict import Expected, Measurement, p95, ratio, violations

AFFECTED, OTHER = "thoth.inspection-completed", "thoth.repo-init"
PERFECT = Measurement(
    normal=[1.0] * 20,
    delays=[1.0] * 20,
    lost=0,
    twice=0,
    attempts=0,
    recovery=1.0,
    halted=frozenset(),
    affected=frozenset({AFFECTED}),
)
MUST_HALT = Expected(attempts=True, halts="must")


@pytest.mark.parametrize(
    ("delays", "expected"),
    [([], 0.0), ([3.0], 3.0), ([1.0] * 19 + [9.0], 1.0), ([1.0] * 18 + [9.0] * 2, 9.0), ([1.0, math.inf], math.inf)],
)
def test_the_95th_percentile_is_a_delay_that_19_of_20_do_not_exceed(delays: list[float], expected: float) -> None:
    """A message that is never handled has an infinite delay."""
    assert p95(delays) == expected


def test_a_fault_without_unaffected_messages_has_the_ratio_1() -> None:
    """A fault of everything delays no others."""
    assert ratio(replace(PERFECT, normal=[], delays=[])) == 1.0
    assert ratio(replace(PERFECT, delays=[3.0] * 20)) == 3.0


@pytest.mark.parametrize(
    ("expected", "measured"),
    [
        (Expected(), PERFECT),
        (Expected(), replace(PERFECT, delays=[2.0] * 20)),
        (Expected(), replace(PERFECT, normal=[0.01] * 20, delays=[0.25] * 20)),
        (Expected(), replace(PERFECT, delays=[1.0] * 19 + [math.inf])),
        (Expected(), replace(PERFECT, recovery=15.0)),
        (Expected(attempts=True), replace(PERFECT, attempts=7)),
        (MUST_HALT, replace(PERFECT, halted=PERFECT.affected, attempts=1, recovery=math.inf)),
        (Expected(halts="may"), replace(PERFECT, halted=PERFECT.affected, recovery=math.inf)),
        (Expected(halts="may"), PERFECT),
    ],
)
def test_what_is_expected_violates_nothing(expected: Expected, measured: Measurement) -> None:
    """The bounds belong to what is allowed."""
    assert violations(expected, measured) == []


@pytest.mark.parametrize(
    ("expected", "measured", "text"),
    [
        (Expected(), replace(PERFECT, delays=[2.1] * 20), "others are delayed by the factor 2.1"),
        (Expected(), replace(PERFECT, delays=[math.inf] * 20), "others are delayed by the factor inf"),
        (Expected(), replace(PERFECT, normal=[0.01] * 20, delays=[0.3] * 20), "others are delayed by the factor 30.0"),
        (Expected(), replace(PERFECT, is_met=False), "no request has met the fault"),
        (Expected(), replace(PERFECT, lost=3), "3 messages are lost"),
        (Expected(), replace(PERFECT, twice=1), "1 effects happened twice"),
        (Expected(), replace(PERFECT, attempts=2), "2 attempts are used up"),
        (Expected(), replace(PERFECT, recovery=16.0), "the recovery took 16 s"),
        (Expected(), replace(PERFECT, recovery=math.inf), "the recovery took inf s"),
        (Expected(), replace(PERFECT, halted=PERFECT.affected), f"halted: {AFFECTED}"),
        (Expected(halts="may"), replace(PERFECT, halted=frozenset({OTHER})), f"halted: {OTHER}"),
        (MUST_HALT, PERFECT, f"not halted: {AFFECTED}"),
    ],
)
def test_each_violation_is_named(expected: Expected, measured: Measurement, text: str) -> None:
    """Exactly the violated expectation is reported."""
    assert violations(expected, measured) == [text]


def test_times_can_be_left_out_of_the_verdict() -> None:
    """On a busy machine only what happened counts, not when."""
    slow = replace(PERFECT, delays=[99.0] * 20, recovery=99.0)
    assert violations(Expected(), slow, timed=False) == []
    assert violations(Expected(), replace(slow, lost=1), timed=False) == ["1 messages are lost"]


def test_each_row_has_its_own_name_and_breaks_a_part_that_a_stream_needs() -> None:
    """A part without a stream would be measured as a fault of nothing."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if not any(row.part in stream.needs for stream in STREAMS)] == []


def test_words_select_the_rows_whose_names_contain_one() -> None:
    """Without words the whole matrix runs."""
    assert selected([]) == list(ROWS)
    assert {row.name for row in selected(["index-404", "kind-422"])} == {"index-404", "kind-422"}
    assert len(selected(["graph-"])) > 3
    assert selected(["nothing-like-this"]) == []


def test_the_token_of_a_message_is_found_in_the_parameters_of_its_workflow() -> None:
    """Longer numbers and other texts are no tokens."""
    assert number_in("https://github.com/thoth-station/m0000012 INFO") == 12
    assert number_in("m0000013===1.0") == 13
    assert number_in("m00000013 xm0000014 solver") is None

# SPDX-License-Identifier: GPL-3.0-or-later
from sandbox.play.report import Row, build_rows, format_table

RELEASED = "thoth.package-release.package-released"
JUSTIFIED = "thoth.advise-reporter.advise-justification"


def test_a_row_has_the_numbers_of_its_own_message_type() -> None:
    """Workflows of a type that was not sent have no row; the delay is the median."""
    assert build_rows(
        sent={RELEASED: 2, JUSTIFIED: 1},
        scheduled={(RELEASED, "solver"): 4, ("another", "solver"): 9, (RELEASED, "revsolver"): 2},
        changes={RELEASED: 3},
        failures={JUSTIFIED: 1},
        delays={RELEASED: [0.1, 0.3, 0.2]},
    ) == [
        Row("package-released", 2, {"solver": 4, "revsolver": 2}, changes=3, failures=0, delay=0.2),
        Row("advise-justification", 1, {}, changes=0, failures=1, delay=None),
    ]


def test_the_table_is_aligned_and_ends_with_totals() -> None:
    """A number of 0 shows as a dash, and a type without workflows has no delay."""
    rows = [
        Row("package-released", 2, {"solver": 4, "revsolver": 2}, changes=3, failures=0, delay=0.2),
        Row("advise-justification", 10, {}, changes=0, failures=1, delay=None),
    ]
    assert format_table(rows) == [
        "message type          messages  workflows  graph changes  failures  median delay",
        "--------------------------------------------------------------------------------",
        "package-released             2          6              3         -        200 ms  4 solver, 2 revsolver",
        "advise-justification        10          -              -         1",
        "--------------------------------------------------------------------------------",
        "total                       12          6              3         1",
    ]

# SPDX-License-Identifier: GPL-3.0-or-later
from sandbox.play.report import Row, rows, table

RELEASED = "thoth.package-release.package-released"
JUSTIFIED = "thoth.advise-reporter.advise-justification"


def test_a_row_puts_together_what_came_of_a_type() -> None:
    """Guarantee: each number of a row is that of its own message type."""
    assert rows(
        sent={RELEASED: 2, JUSTIFIED: 1},
        scheduled={(RELEASED, "solver"): 4, ("another", "solver"): 9, (RELEASED, "revsolver"): 2},
        changes={RELEASED: 3},
        failures={JUSTIFIED: 1},
        delays={RELEASED: [0.1, 0.3, 0.2]},
    ) == [
        Row("package-released", 2, {"solver": 4, "revsolver": 2}, changes=3, failures=0, delay=0.2),
        Row("advise-justification", 1, {}, changes=0, failures=1, delay=None),
    ]


def test_the_table_lines_up_and_sums_up() -> None:
    """Guarantee: numbers stand under their titles, and the last line is the sum of all rows."""
    body = [
        Row("package-released", 2, {"solver": 4, "revsolver": 2}, changes=3, failures=0, delay=0.2),
        Row("advise-justification", 10, {}, changes=0, failures=1, delay=None),
    ]
    assert table(body) == [
        "message               messages  workflows  graph changes  failures  median time",
        "-------------------------------------------------------------------------------",
        "package-released             2          6              3         -       200 ms  4 solver, 2 revsolver",
        "advise-justification        10          -              -         1",
        "-------------------------------------------------------------------------------",
        "all                         12          6              3         1",
    ]

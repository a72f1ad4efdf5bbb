# SPDX-License-Identifier: GPL-3.0-or-later
"""The trust model names tests that exist."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "security.md").read_text("utf-8")
_NAMED = re.compile(r"`(test_\w+)` in \[[^]]+\]\(([^)]+)\)")


def test_every_guarantee_names_a_test_that_exists() -> None:
    """A test that is renamed takes its name in the page along."""
    named = _NAMED.findall(PAGE)
    assert len(named) == len(re.findall(r"`test_\w+`", PAGE))
    assert [name for name, file in named if f"def {name}(" not in (DOCS / file).read_text("utf-8")] == []


def test_every_row_about_an_attempt_names_a_test() -> None:
    """What no test guarantees is not listed as guaranteed."""
    rows = [line for line in PAGE.partition("\n## A producer\n")[2].splitlines() if line.startswith("| ")]
    heads = [line for line in rows if line.endswith("| Test |") or set(line) <= set("| -")]
    assert [line for line in rows if line not in heads and not _NAMED.search(line)] == []

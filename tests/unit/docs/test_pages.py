# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-written pages, held against the code."""

import re
from pathlib import Path

import pytest

from investigator.observability.metrics import definitions
from investigator.settings.reference import reference

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FILE_MAP = ARCHITECTURE.partition("\n## File map\n")[2].partition("\n## ")[0]
MODULES = sorted(
    str(path.relative_to(ROOT / "investigator"))
    for path in (ROOT / "investigator").rglob("*.py")
    if path.name != "__init__.py"
)
#: The page names these before they exist. The commit that adds a file removes it here.
NOT_YET = {"agent/ports.py", "kafka/internals.py"}


def _names(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _exists(path: str) -> bool:
    return (ROOT / path).exists() or (ROOT / "investigator" / path).exists()


@pytest.mark.parametrize("page", PAGES, ids=_names)
def test_the_settings_and_metrics_that_a_page_names_exist(page: Path) -> None:
    """A name that was changed in the code is changed in every page."""
    text = page.read_text("utf-8")
    variables = set(re.findall(r"\b(?:KAFKA|THOTH_INVESTIGATOR|ARGO|KNOWLEDGE_GRAPH)_[A-Z_]+[A-Z]\b", text))
    assert variables - {each.variable for each in reference()} == set()
    metrics = {re.sub(r"_(?:total|info)$", "", name) for name in re.findall(r"\bthoth_investigator_[a-z_]+", text)}
    assert metrics - {each.name for each in definitions()} - {each.name for each in reference()} == set()


def test_the_index_links_to_every_page() -> None:
    """A reader finds each page by the index."""
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#:]+)\)", index.read_text("utf-8"))}
    pages = [page for page in PAGES if page.parent != ROOT and page != index]
    assert [_names(page) for page in pages if not {page, page.parent} & linked] == []


def test_the_file_map_names_every_module() -> None:
    """A developer finds each module by its purpose; a new module gets its line."""
    named = re.findall(r"^\| `([^`]+\.py)` \| \S", FILE_MAP, re.MULTILINE)
    assert sorted({*named} - NOT_YET - {"__init__.py"}) == MODULES
    assert len(named) == len(set(named))


def test_every_path_in_the_architecture_exists() -> None:
    """A file that moves takes its name in the page along."""
    named = re.findall(r"`(\w[\w.-]*(?:/[\w.-]*)+|[\w.-]+\.(?:py|md|toml|yaml))`", ARCHITECTURE)
    assert len(named) > len(MODULES)
    assert [path for path in named if path not in NOT_YET and not _exists(path)] == []
    assert [path for path in NOT_YET if _exists(path)] == []

# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
from pathlib import Path

import pytest

from tools.check_links import broken_links, main

PAGE = """\
# The guide

## What *it* does: `run --fast`, and why?

## Steps

## Steps

<a name="by-hand"></a>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with a guide in `docs/` and a file that is no Markdown."""
    (tmp_path / "docs" / "my pictures").mkdir(parents=True)
    (tmp_path / "docs" / "guide.md").write_text(PAGE, "utf-8")
    (tmp_path / "docs" / "my pictures" / "map.png").write_bytes(b"")
    return tmp_path


def _broken(root: Path, text: str, name: str = "README.md") -> list[str]:
    (root / name).write_text(text, "utf-8")
    return broken_links([root / name], root)


@pytest.mark.parametrize(
    "link",
    [
        "[a file](docs/guide.md)",
        "[a folder](docs)",
        "[from the root](/docs/guide.md)",
        "![a picture](docs/my%20pictures/map.png)",
        "[a heading](docs/guide.md#the-guide)",
        "[signs are left out](docs/guide.md#what-it-does-run---fast-and-why)",
        "[the second of two](docs/guide.md#steps-1)",
        "[an anchor in HTML](docs/guide.md#by-hand)",
        "[the same page](#start)\n\n# Start",
        "[another site](https://example.com/docs/nothing.md#at-all)",
        "[mail](mailto:maintainers@example.com)",
        "`[code](nothing.md)`",
        "```\n[code](nothing.md)\n```",
    ],
)
def test_a_link_that_leads_somewhere_is_not_reported(root: Path, link: str) -> None:
    """Files, folders and anchors as GitHub resolves them; code and other sites are no business of the check."""
    assert _broken(root, link) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[x](docs/nothing.md)", "there is no file docs/nothing.md"),
        ("[x](/guide.md)", "there is no file /guide.md"),
        ("![x](docs/nothing.png)", "there is no file docs/nothing.png"),
        ("[x](docs/guide.md#nothing)", "there is no anchor #nothing in docs/guide.md"),
        ("[x](docs/guide.md#steps-2)", "there is no anchor #steps-2 in docs/guide.md"),
        ("[x](#nothing)", "there is no anchor #nothing in README.md"),
        ("[x][y]\n\n[y]: docs/nothing.md", "there is no file docs/nothing.md"),
    ],
)
def test_a_broken_link_is_reported_with_its_file_and_line(root: Path, link: str, problem: str) -> None:
    """The line is that of the link, not the first one of its paragraph."""
    assert _broken(root, f"# Title\n\nFirst line,\nthen {link}") == [f"README.md:4: {problem}"]


def test_the_line_of_a_link_in_a_table_is_that_of_its_row(root: Path) -> None:
    """Most links of the pages are in tables."""
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | [x](nothing.md) |\n"
    assert _broken(root, table) == ["README.md:4: there is no file nothing.md"]


def test_a_link_is_relative_to_the_folder_of_its_page(root: Path) -> None:
    """A page that moves to another folder needs other links."""
    assert _broken(root, "[x](guide.md), [y](../docs)", "docs/other.md") == []
    assert _broken(root, "[x](docs/guide.md)", "docs/other.md") == ["docs/other.md:1: there is no file docs/guide.md"]


def test_the_command_reads_the_tracked_files_and_ends_with_1_where_a_link_is_broken(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A draft that is not tracked yet does not fail the check."""
    (root / "draft.md").write_text("[x](nothing.md)", "utf-8")
    subprocess.run(["git", "init", "--quiet", root], check=True)
    subprocess.run(["git", "-C", root, "add", "docs"], check=True)
    assert main(root) == 0
    subprocess.run(["git", "-C", root, "add", "draft.md"], check=True)
    assert main(root) == 1
    assert "draft.md:1: there is no file nothing.md" in capsys.readouterr().out

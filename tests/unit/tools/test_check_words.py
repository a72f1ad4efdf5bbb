# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
from pathlib import Path

import pytest

from tools.check_words import Finding, findings, main


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("the messages in hand are bounded", "in hand"),
        ("It was Taken up twice", "Taken up"),
        ("messages_in_hand = 3", "in_hand"),
        ("_gave_up = True", "gave_up"),
        ("the topic's twins", "twins"),
        ("halts it for good.", "for good"),
    ],
)
def test_an_old_word_is_found_in_prose_and_in_names(text: str, word: str) -> None:
    """In any case of letters, and with an underscore for each blank."""
    assert [found.word for found in findings("page.md", text)] == [word]


@pytest.mark.parametrize(
    "text",
    [
        "the brokers give\nup a lease",
        "# the brokers give\n# up a lease",
        "    # the brokers give\n    # up a lease",
        "#: the brokers give\n#: up a lease",
        "// the brokers give\n// up a lease",
        "> the brokers give\n> up a lease",
        '("the brokers give "\n    "up a lease")',
        '("the brokers give "\n    f"up {lease}")',
    ],
)
def test_a_phrase_is_found_across_the_end_of_a_line(text: str) -> None:
    """The line that is named is the one on which the phrase begins."""
    assert [(found.line, found.word.split()[0]) for found in findings("page.md", text)] == [(1, "give")]


@pytest.mark.parametrize(
    "text",
    [
        "in handlers",
        "which takes up to a minute",
        "for good reasons",
        "untold numbers",
        "what the brokers give\n\nup to now",
        "retold",
    ],
)
def test_words_that_only_look_alike_are_not_reported(text: str) -> None:
    """Longer words, other meanings, and a phrase over two paragraphs."""
    assert findings("page.md", text) == []


def test_the_term_to_use_is_named_with_the_line() -> None:
    """So the author can correct the text without a look at the glossary."""
    assert findings("page.md", "one\n\ntwo, anew\n") == [Finding(3, "anew", "again, recreated")]


def test_docstrings_that_begin_with_give_or_tell_are_found_in_python_files() -> None:
    """Modules, classes, functions and coroutines; other strings and other files may begin as they like."""
    documented = [
        '"""Give one."""',
        "class A:",
        '    """Tell two."""',
        "    async def b(self):",
        '        """',
        "        Gives three.",
    ]
    source = "\n".join([*documented, '        """', ""])
    assert [(found.line, found.word) for found in findings("a.py", source)] == [
        (1, '"""Give ...'),
        (3, '"""Tell ...'),
        (5, '"""Gives ...'),
    ]
    assert findings("a.md", source) == []
    assert findings("a.py", 'TEXT = "Give me more"\n\n\ndef tell():\n    """Return it, given that."""\n') == []


def test_only_tracked_files_of_prose_and_code_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 and one line for each word; status 0 once the words are gone."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in ("page.md", "LICENSE", "docs/asyncapi.yaml", "deleted.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("nobody\n", "utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    (tmp_path / "untracked.md").write_text("nobody\n", "utf-8")
    (tmp_path / "deleted.md").unlink()

    assert main(tmp_path) == 1
    assert (
        capsys.readouterr().out.splitlines()[0]
        == "page.md:1: nobody -> name the actor: worker, operator, broker, caller"
    )

    (tmp_path / "page.md").write_text("an operator\n", "utf-8")
    assert main(tmp_path) == 0

# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that words which docs/glossary.md has replaced do not come back: `python -m tools.check_words`.

The check reads every tracked file of prose or code. A phrase is also found inside a name (`in_hand`) and where a line
ends in the middle of it, in a comment or in a string of several parts.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".md", ".html", ".js", ".yaml"}
#: These two name the old words; the pages are generated from Python files, where each word is reported already.
EXCLUDED = {
    "tools/check_words.py",
    "tests/unit/tools/test_check_words.py",
    "docs/asyncapi.yaml",
    "docs/reference/asyncapi.yaml",
}

#: The term to use for each old phrase; a space in a phrase also matches `_`, `-` and a line end.
TERMS = {
    r"in hand": "in flight",
    r"(?:take|takes|taken|taking|took) up(?! to)": "accept, start",
    r"(?:give|gives|given|giving|gave) up": "retries exhausted, failed permanently",
    r"(?:let|lets|letting) go": "release, cancel, drain",
    r"anew": "again, recreated",
    r"twins?": "dead-letter topic",
    r"whoever|(?<!\")nobody(?!\")|somebody": "name the actor: worker, operator, broker, caller",
    r"so many": "N, at most N",
    r"for good(?! reason)": "permanently",
    r"at rest": "idle",
    r"worked on": "processing, being processed",
    r"the other side": "the server",
    r"told": "identified, notified, received: name the action",
}
# One line end at most, so that no phrase is found across paragraphs; around it the signs of a comment, quote or string.
_GAP = r"""(?:[ \t_-]+|[ \t]*["']?[ \t]*\n[ \t]*(?:\#:?|//|[*>]|[fr]?["'])?[ \t]*)"""
_PATTERNS = {
    re.compile(rf"(?<![a-z])(?:{old.replace(' ', _GAP)})(?![a-z])", re.IGNORECASE): term for old, term in TERMS.items()
}
_DOCSTRING = re.compile(r"(?:Give|Gives|Tell|Tells)\b")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Finding(NamedTuple):
    """An old word: the line on which it begins (from 1), the word as it stands there, and the term to use."""

    line: int
    word: str
    term: str


def findings(name: str, text: str) -> list[Finding]:
    """Return the old words in a file's text, by line; `name` says whether it has docstrings."""
    found = [*_phrases(text), *(_docstrings(text) if name.endswith(".py") else ())]
    return sorted(found)


def _phrases(text: str) -> Iterator[Finding]:
    for pattern, term in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield Finding(text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), term)


def _docstrings(text: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and (match := _DOCSTRING.match(ast.get_docstring(node) or "")):
            yield Finding(node.body[0].lineno, f'"""{match[0]} ...', "Return ..., or the imperative of what it does")


def main(root: Path = ROOT) -> int:
    """Print each old word in the tracked files of a repository; return 1 if there are any, else 0."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607 - git is found as the developer's shell finds it
    names = [name for name in listed.stdout.split("\0") if Path(name).suffix in SUFFIXES and name not in EXCLUDED]
    lines = [
        f"{name}:{line}: {word} -> {term}"
        for name in names
        if (root / name).is_file()  # a file that was deleted stays in the index until the next commit
        for line, word, term in findings(name, (root / name).read_text(encoding="utf-8"))
    ]
    print("\n".join([*lines, f"{len(lines)} old words in {len(names)} files; the terms are in docs/glossary.md"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

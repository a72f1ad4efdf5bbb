# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the relative links and anchors of all tracked Markdown files: `python -m tools.check_links`.

Anchors follow GitHub's rules. Links to other sites are not checked: they would make the check depend on a network.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent
_MARKDOWN = MarkdownIt().enable("table")
_HTML_ANCHOR = re.compile(r"""<a\s[^>]*?\b(?:id|name)=["']([^"']+)["']""", re.IGNORECASE)


def broken_links(files: Iterable[Path], root: Path) -> list[str]:
    """Return `file:line: problem` for each broken link in some Markdown files below the root."""
    return [
        f"{file.relative_to(root)}:{line}: {problem}"
        for file in files
        for line, target in _links(file)
        if (problem := _problem(file, target, root))
    ]


def _problem(file: Path, target: str, root: Path) -> str:
    url = urlsplit(target)
    path, anchor = unquote(url.path), unquote(url.fragment)
    if url.scheme or url.netloc:
        return ""
    # As on GitHub, a leading slash stands for the root of the repository.
    linked = root / path.lstrip("/") if path.startswith("/") else file.parent / path if path else file
    if not linked.exists():
        return f"there is no file {path}"
    if anchor and linked.suffix == ".md" and anchor not in _anchors(linked.resolve()):
        return f"there is no anchor #{anchor} in {path or file.name}"
    return ""


def _links(file: Path) -> Iterator[tuple[int, str]]:
    for block in _MARKDOWN.parse(file.read_text("utf-8")):
        line = (block.map or [0])[0] + 1
        for token in block.children or ():
            line += token.type in {"softbreak", "hardbreak"}
            if target := token.attrGet("href") or token.attrGet("src"):
                yield line, str(target)


@cache
def _anchors(file: Path) -> frozenset[str]:
    text = file.read_text("utf-8")
    anchors, seen = set(_HTML_ANCHOR.findall(text)), Counter[str]()
    for heading in (content for opening, content in pairwise(_MARKDOWN.parse(text)) if opening.type == "heading_open"):
        shown = "".join(token.content for token in heading.children or () if token.type in {"text", "code_inline"})
        name = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        anchors.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return frozenset(anchors)


def main(root: Path = ROOT) -> int:
    """Print each broken link in the tracked Markdown files of a repository; return 1 if there are any, else 0."""
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607 - git is found as the developer's shell finds it
    files = [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    broken = broken_links(files, root)
    print("\n".join([*broken, f"{len(broken)} broken links in {len(files)} Markdown files"]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

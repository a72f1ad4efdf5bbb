# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the source files that no linter checks."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "benchmarks", "docs", "investigator", "sandbox", "tests", "tools")
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
MAX_LINES = 250
BARE_IGNORE = re.compile(r"# (?:noqa(?:: [A-Z0-9, ]+)?|type: ignore(?:\[[a-z, -]+\])?)[\s(#-]*$")
SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later"

# Names that several modules may have, because they have the same role in each place.
SHARED_NAMES = {
    "__init__": "a package",
    "__main__": "the program of a package",
    "answers": "what the answers of a dependency mean",
    "broker": "a Kafka broker: the embedded one, and Apache Kafka",
    "checks": "checks in a row: before a worker starts, and after a soak test",
    "client": "the client of one server, which the package names",
    "context": "what each step gets: a handler of messages, and a scenario of the sandbox",
    "dead_letters": "dead letters: their headers, and the commands for them",
    "errors": "the exceptions of a package",
    "halts": "halts: their records, and the commands for them",
    "learning": "how Thoth learns about package versions: steps of handlers, and a scenario of the sandbox",
    "messages": "messages: those that a worker processes, and those that the sandbox sends",
    "options": "the options of a client: of aiokafka, and of Faust",
    "ports": "the protocols of what a package needs from others",
    "replay": "replays of dead letters: the rules, and the command",
    "retry": "attempts after a failure: of a message, and of a request to Kafka",
    "worker": "a worker: its program, and the process that the sandbox starts",
}


def test_every_source_file_names_the_licence() -> None:
    """Each Python file begins with its SPDX line."""
    assert [str(file) for file in FILES if not file.read_text("utf-8").startswith(SPDX)] == []


def test_no_file_is_too_long() -> None:
    """A longer file has several subjects, by which it can be split."""
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {file: lines for file, lines in lengths.items() if lines > MAX_LINES} == {}


def test_every_ignore_has_its_reason() -> None:
    """A check that is switched off on a line says there why; later readers can tell whether that still holds."""
    lines = ((file.name, line) for file in FILES for line in file.read_text("utf-8").splitlines())
    assert [(name, line) for name, line in lines if BARE_IGNORE.search(line)] == []


def _sharing_a_name(files: Iterable[Path]) -> dict[str, list[str]]:
    """Return by name the files whose name another one has too."""
    by_name = defaultdict(list)
    for file in files:
        by_name[file.stem].append(str(file.relative_to(ROOT)))
    return {name: sorted(paths) for name, paths in by_name.items() if len(paths) > 1}


def test_no_two_test_modules_have_the_same_name() -> None:
    """The name of a failing module says which one it is."""
    assert _sharing_a_name((ROOT / "tests").rglob("test_*.py")) == {}


def test_modules_of_one_name_have_the_same_role() -> None:
    """A name with several meanings leads a reader to the wrong file. The list has no name that is unique by now."""
    modules = [file for folder in ("agents", "investigator", "sandbox") for file in (ROOT / folder).rglob("*.py")]
    shared = _sharing_a_name(modules)
    assert {name: paths for name, paths in shared.items() if name not in SHARED_NAMES} == {}
    assert SHARED_NAMES.keys() - shared.keys() == set()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib is part of Python since 3.11")
def test_every_package_has_its_layer() -> None:
    """A new module or package directly in investigator/ is part of the layers contract."""
    import tomllib  # noqa: PLC0415  not there in every version that the tests run on

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name for layer in layers for name in layer.split(" | ")}
    children = {
        path.stem
        for path in (ROOT / "investigator").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {f"investigator.{child}" for child in children - {"__init__"}} | {"agents"} == named

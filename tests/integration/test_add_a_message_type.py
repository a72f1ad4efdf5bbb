# SPDX-License-Identifier: GPL-3.0-or-later
"""Two files add a message type, its agent and its test: those of the tutorial, in a temporary copy of the checkout."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("agents", "docs", "investigator", "sandbox", "tests", "tools")
LINKED = ("pyproject.toml", ".venv-producers")
TUTORIAL = ROOT / "docs" / "add-a-message-type.md"

AGENT_FILE = "agents/yanked_package_version.py"
TEST_FILE = "tests/agents/test_yanked_package_version.py"
BASE_NAME = "thoth.package-update.yanked-package-version"
CHANGE = "work.graph.flag_version_missing(name, version, index_url)"

# All suites that look at every registered message type; the end-to-end tests are collected, not run.
SUITES = (
    "tests/agents",
    "tests/unit/agent",
    "tests/unit/docs/test_reference.py",
    "tests/unit/docs/test_tutorial.py",
    "tests/sandbox/play/test_scenarios.py",
    "tests/sandbox/play/test_scenario_messages.py",
    "tests/contract/test_producers.py",
    "tests/contract/test_schemas.py",
)


def tutorial() -> tuple[str, str]:
    """Return the agent and its test as a reader has them at the end of the tutorial."""
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    _first_agent, first_test, last_agent, more_tests, once, *_ = blocks
    example = re.compile(r"^EXAMPLE = .*?^\)\n", re.DOTALL | re.MULTILINE)
    (new_example,) = example.findall(more_tests)
    test, examples = example.subn(new_example, first_test)
    agent, calls = re.subn(rf"^ *await {re.escape(CHANGE)}\n", once, last_agent, flags=re.MULTILINE)
    assert (examples, calls, once.count(CHANGE)) == (1, 1, 1), "The steps of the tutorial do not fit together"
    return agent, test + example.sub("", more_tests)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout with the new agent, but without its test."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / AGENT_FILE).write_text(tutorial()[0])
    (tmp_path / TEST_FILE).unlink(missing_ok=True)  # a reader of the tutorial may have added both files already
    return tmp_path


def start(checkout: Path, module: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a module of this Python in the copy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(checkout: Path, module: str, *arguments: str, status: int = 0) -> str:
    """Run a module in the copy, and return its output; it must end with that status."""
    process = start(checkout, module, *arguments)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == status, output
    return output


def test_a_type_without_an_example_fails_the_conformance_tests_by_name(checkout: Path) -> None:
    """The error says which type has no example, and in which file to declare one."""
    output = run(checkout, "pytest", "-q", "tests/agents/test_conformance.py", "-k", "has_an_example", status=1)

    assert "1 failed" in output
    assert f"{BASE_NAME} has no example" in output
    assert TEST_FILE in output


def test_an_agent_its_test_and_make_docs_are_all_that_a_new_type_needs(checkout: Path) -> None:
    """Every suite that looks at all message types passes, and so do linters, types and the check of the pages."""
    (checkout / TEST_FILE).write_text(tutorial()[1])
    run(checkout, "docs.generate")  # as `make docs` does

    started = {
        "tests": start(checkout, "pytest", "-q", "-m", "not e2e", *SUITES),
        "end to end": start(checkout, "pytest", "-q", "--collect-only", "tests/e2e/test_message_types.py"),
        "types": start(checkout, "mypy", AGENT_FILE, TEST_FILE),
        "lint": start(checkout, "ruff", "check", AGENT_FILE, TEST_FILE),
        "format": start(checkout, "ruff", "format", "--check", AGENT_FILE, TEST_FILE),
        "docs": start(checkout, "docs.generate", "--check"),
    }
    outputs = {name: process.communicate(timeout=240)[0] for name, process in started.items()}

    assert {name: outputs[name] for name, process in started.items() if process.returncode} == {}
    assert " passed" in outputs["tests"]
    assert f"{BASE_NAME} as in the example" in outputs["end to end"]

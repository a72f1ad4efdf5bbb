# SPDX-License-Identifier: GPL-3.0-or-later
"""A message type is added by two files, its agent and its test: shown in a temporary copy of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("agents", "docs", "investigator", "sandbox", "tests")
LINKED = ("pyproject.toml", ".venv-producers")

AGENT_FILE = "agents/document_unsynced.py"
AGENT = '''\
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document is not in the knowledge graph yet.

graph-refresh sends the message, and the worker schedules the sync of the document.
"""

from investigator.agent import Message, Mode, Text, Work, agent


class DocumentUnsynced(Message, serializer="json"):
    """The id of the document, and whether to sync it even if the graph holds it."""

    document_id: Text
    force_sync: bool = False


@agent("thoth.graph-refresh.document-unsynced", mode=Mode.MIDDLETIER)
async def sync(message: DocumentUnsynced, work: Work) -> None:
    """Schedule the graph-sync workflow for the document."""
    await work.schedule("graph-sync", document_id=message.document_id, force_sync=message.force_sync)
'''

TEST_FILE = "tests/agents/test_document_unsynced.py"
TEST = '''\
# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.agent import Mode
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example

DOCUMENT = "solver-rhel-8-py39-211224120000-0123456789abcdef"
EXAMPLE = Example(
    "thoth.graph-refresh.document-unsynced",
    required={"document_id": DOCUMENT},
    optional={"force_sync": True},
    workflows={Mode.MIDDLETIER: ["graph-sync"]},
)


async def test_the_document_is_synced() -> None:
    """The workflow gets both fields of the message."""
    harness = AgentHarness()

    assert await harness.handle(EXAMPLE.base_name, EXAMPLE.fields) is None

    assert harness.parameters("graph-sync") == [{"THOTH_SYNC_DOCUMENT_ID": DOCUMENT, "THOTH_FORCE_SYNC": "True"}]
'''

# All suites that look at every registered message type; the end-to-end tests are collected, not run.
SUITES = (
    "tests/agents",
    "tests/unit/agent",
    "tests/unit/docs/test_reference.py",
    "tests/sandbox/play/test_scenarios.py",
    "tests/sandbox/play/test_scenario_messages.py",
    "tests/contract/test_producers.py",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout with the new agent, but without its test."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / AGENT_FILE).write_text(AGENT)
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


def output_of(process: "subprocess.Popen[str]", *, status: int = 0) -> str:
    """Wait until a process has ended with that status, and return its output."""
    output, _ = process.communicate(timeout=240)
    assert process.returncode == status, output
    return output


def run(checkout: Path, module: str, *arguments: str, status: int = 0) -> str:
    """Run a module in the copy, and return its output; it must end with that status."""
    return output_of(start(checkout, module, *arguments), status=status)


def test_a_type_without_an_example_fails_the_conformance_tests_by_name(checkout: Path) -> None:
    """The error says which type has no example, and in which file to declare one."""
    output = run(checkout, "pytest", "-q", "tests/agents/test_conformance.py", "-k", "has_an_example", status=1)

    assert "1 failed" in output
    assert "thoth.graph-refresh.document-unsynced has no example" in output
    assert TEST_FILE in output


def test_an_agent_its_test_and_make_docs_are_all_that_a_new_type_needs(checkout: Path) -> None:
    """Every suite that looks at all message types passes, and so do linters, types and the check of the pages."""
    (checkout / TEST_FILE).write_text(TEST)
    run(checkout, "docs.generate")  # as `make docs` does

    types = start(checkout, "mypy", AGENT_FILE, TEST_FILE)
    tests = output_of(start(checkout, "pytest", "-q", "-m", "not e2e", *SUITES))
    end_to_end = run(checkout, "pytest", "-q", "--collect-only", "tests/e2e/test_message_types.py")

    assert " passed" in tests
    assert "thoth.graph-refresh.document-unsynced as in the example" in end_to_end
    run(checkout, "docs.generate", "--check")
    run(checkout, "ruff", "check", AGENT_FILE, TEST_FILE)
    run(checkout, "ruff", "format", "--check", AGENT_FILE, TEST_FILE)
    output_of(types)

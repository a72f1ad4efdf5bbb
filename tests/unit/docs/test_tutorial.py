# SPDX-License-Identifier: GPL-3.0-or-later
"""The code of the tutorial, run as its reader runs it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from investigator.agent import MESSAGE_TYPES, Mode
from investigator.agent.message import MalformedMessageError

TUTORIAL = Path(__file__).parents[3] / "docs" / "add-a-message-type.md"
BASE_NAME = "thoth.package-update.yanked-package-version"
MESSAGE = {"component_name": "package-update", "service_version": "1.0.0", "index_url": "https://pypi.org/simple"}
AGENTS = [
    block for block in re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL) if "@agent(" in block
]


@pytest.fixture
def _registry() -> Iterator[None]:
    """Remove the tutorial's message type from the registry, which all tests share."""
    assert BASE_NAME not in MESSAGE_TYPES
    yield
    MESSAGE_TYPES.pop(BASE_NAME, None)


@pytest.mark.usefixtures("_registry")
@pytest.mark.parametrize("code", AGENTS, ids=["first", "last"])
def test_the_agents_of_the_tutorial_declare_a_message_type(code: str) -> None:
    """Each version of the file is complete: a reader can stop at any step."""
    exec(compile(code, "agents/yanked_package_version.py", "exec"), {"__name__": "agents.yanked_package_version"})  # noqa: S102 - the code is ours

    message_type = MESSAGE_TYPES[BASE_NAME]
    assert list(message_type.handlers) == [Mode.BACKEND]
    valid = json.dumps({**MESSAGE, "package_name": "flask", "package_version": "1.0"})
    assert message_type.parse(valid.encode()).component_name == "package-update"
    with pytest.raises(MalformedMessageError, match="package_version"):
        message_type.parse(json.dumps({**MESSAGE, "package_name": "flask", "package_version": ""}).encode())

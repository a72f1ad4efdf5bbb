# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of messages, which the test of each message type declares and other tests collect.

The test of a message type declares one or several at its top level:

    EXAMPLE = Example(
        "thoth.repo-init",
        required={"project_url": "https://github.com/thoth-station/cli-examples"},
        optional={"job_id": None},
        workflows={Mode.BACKEND: ["thoth-repo-init"]},
    )

`tests/agents/test_conformance.py` and the end-to-end tests send every example of every registered message type.
"""

import asyncio
import importlib
import importlib.util
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import agents
from investigator.agent import Mode
from investigator.argo.kinds import WorkflowKind
from investigator.message_types import load_message_types
from tests.support.agent_harness import PYPI, AgentHarness

EverySolver = Literal["every solver"]

#: In `Example.workflows`: one solver workflow for each installed solver.
EVERY_SOLVER: EverySolver = "every solver"

#: Contents that the examples of several message types share.
PASSWORD = "correct horse battery staple"
RELEASE: dict[str, object] = {"package_name": "flask", "package_version": "2.0.2", "index_url": PYPI}
METADATA: dict[str, object] = {
    "message_justification": 5,
    "package_name": "flask",
    "package_version": "2.0.2",
    "package_index": PYPI,
}
REGISTRIES: dict[str, object] = {
    f"{image}_registry_{name}": value
    for image in ("base", "output")
    for name, value in (("password", PASSWORD), ("user", "fridolin"), ("verify_tls", False))
}
ADVICE: dict[str, object] = {
    "debug": True,
    "authenticated": True,
    "origin": "https://github.com/thoth-station/cli-examples",
    "job_id": None,
    "kebechet_metadata": METADATA,
    "justification": [{"message": "flask was released", "type": "INFO"}],
    "stack_info": [{"message": "all is well", "type": "INFO"}],
}


@dataclass(frozen=True)
class Example:
    """A valid message of a type, and the effects of its handlers while the graph does not know its package.

    Attributes:
        base_name: the message type.
        required: the fields without which the handlers cannot do their work.
        optional: the other fields. The workflows below must be asked for with and without them. The examples of a type
            together must set every field of its record.
        workflows: the kinds of workflows that the handler of each mode schedules; a kind occurs once for each workflow.
        changes_graph_in: the modes whose handlers change the graph.
        variant: distinguishes several examples of one type in the names of the tests.
    """

    base_name: str
    required: Mapping[str, object] = field(default_factory=dict)
    optional: Mapping[str, object] = field(default_factory=dict)
    workflows: Mapping[Mode, Sequence[WorkflowKind | EverySolver]] = field(default_factory=dict)
    changes_graph_in: Collection[Mode] = ()
    variant: str = ""

    def __str__(self) -> str:
        """Return the name of the example in the list of tests."""
        return f"{self.base_name} {self.variant}".rstrip()

    @property
    def fields(self) -> dict[str, object]:
        """All fields, without those that every message has."""
        return {**self.required, **self.optional}

    def kinds(self, modes: Iterable[Mode], solvers: int) -> list[WorkflowKind]:
        """Return the kinds of workflows that a worker with these modes schedules, sorted.

        Args:
            modes: the modes of the worker.
            solvers: how many solvers are installed.
        """
        kinds: list[WorkflowKind] = []
        for kind in (kind for mode in modes for kind in self.workflows.get(mode, ())):
            if kind == EVERY_SOLVER:
                kinds += ["solver"] * solvers
            else:
                kinds.append(kind)
        return sorted(kinds)


def load_examples() -> dict[str, list[Example]]:
    """Return the examples of every registered message type by base name; a type without examples has an empty list.

    The examples of the types in `agents/<name>.py` are those at the top level of `tests/agents/test_<name>.py`.

    Raises:
        LookupError: an example is one of a type that is not registered.
    """
    examples: dict[str, list[Example]] = {base_name: [] for base_name in load_message_types()}
    for module_name in _test_modules():
        for example in _declared_in(module_name):
            if example.base_name not in examples:
                raise LookupError(f"{module_name}: no message type {example.base_name!r} is registered")
            examples[example.base_name].append(example)
    return examples


def workflow_arguments() -> dict[str, dict[str, object]]:
    """Return the arguments that handlers pass for each kind of workflow that an example leads to."""

    async def handle_all() -> dict[str, dict[str, object]]:
        harness = AgentHarness()
        for examples in load_examples().values():
            for example in examples:
                failure = await harness.handle(example.base_name, example.fields)
                assert failure is None, f"the example of {example.base_name} fails: {failure}"
        return harness.scheduler.arguments

    return asyncio.run(handle_all())


def _test_modules() -> Iterator[str]:
    for module in pkgutil.iter_modules(agents.__path__):
        name = f"tests.agents.test_{module.name}"
        if importlib.util.find_spec(name):
            yield name


def _declared_in(module_name: str) -> Iterator[Example]:
    module = importlib.import_module(module_name)
    return (value for value in vars(module).values() if isinstance(value, Example))

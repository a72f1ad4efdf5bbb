# SPDX-License-Identifier: GPL-3.0-or-later
"""A message of the end-to-end tests with its expected effects: workflows and a change of the graph, by mode."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph_seed import GraphSeed
from sandbox.workflow_store import CreatedWorkflow

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """An expected workflow.

    Attributes:
        kind: its kind.
        namespace: its namespace.
        parameters: some or all of its parameters. The value of a parameter is a text, or a mapping if the parameter
            is a JSON object with at least these fields, or a set if it is a comma-separated list in any order.
    """

    kind: str
    namespace: str
    parameters: Mapping[str, object]

    def is_met_by(self, workflow: CreatedWorkflow) -> bool:
        """Return whether the workflow is the expected one."""
        return (workflow.kind, workflow.namespace) == (self.kind, self.namespace) and all(
            _matches(expected, workflow.parameters.get(name, "")) for name, expected in self.parameters.items()
        )


def _matches(expected: object, actual: str) -> bool:
    if isinstance(expected, Mapping):
        content = json.loads(actual)
        return bool({name: content.get(name) for name in expected} == expected)
    return (frozenset(actual.split(",")) if isinstance(expected, frozenset) else actual) == expected


@dataclass(frozen=True)
class Change:
    """A part of the graph, before and after a message.

    Attributes:
        look: reads that part.
        before: the result of `look` while the message is not handled.
        after: its result after the message was handled.
    """

    look: Callable[[GraphSeed], object]
    before: object
    after: object


@dataclass(frozen=True)
class Effects:
    """The expected effects of one mode."""

    workflows: tuple[Wanted, ...] = ()
    change: Change | None = None


ByMode = Mapping[str, Effects]


@dataclass(frozen=True)
class Case:
    """One message.

    Attributes:
        base_name: its type.
        fields: its fields, without those that every message has.
        effects: the expected effects by mode; in metrics mode every message is counted as well.
        prepare: writes the rows that the graph has to hold before the message.
    """

    base_name: str
    fields: Fields
    effects: ByMode
    prepare: Callable[[GraphSeed], None] = field(default=lambda _: None)

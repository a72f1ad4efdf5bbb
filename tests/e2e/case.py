# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test says of a message: the workflows that it wants, the change of the graph, and in which mode."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph_seed import GraphSeed
from sandbox.workflow_store import CreatedWorkflow

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A workflow: kind, namespace, and parameters, of which it may have more.

    The value of a parameter is a text; or a mapping for JSON with at least that; or a set for a list in any order.
    """

    kind: str
    namespace: str
    parameters: Mapping[str, object]

    def is_met_by(self, workflow: CreatedWorkflow) -> bool:
        """Tell whether the workflow is such a one."""
        place = (workflow.kind, workflow.namespace)
        return place == (self.kind, self.namespace) and all(
            _is(expected, workflow.parameters.get(name, "")) for name, expected in self.parameters.items()
        )


def _is(expected: object, actual: str) -> bool:
    if isinstance(expected, Mapping):
        content = json.loads(actual)
        return bool({name: content.get(name) for name in expected} == expected)
    return (frozenset(actual.split(",")) if isinstance(expected, frozenset) else actual) == expected


@dataclass(frozen=True)
class Change:
    """What the graph holds before a message and after it, to one who looks at a part of it."""

    look: Callable[[GraphSeed], object]
    before: object
    after: object


@dataclass(frozen=True)
class Effects:
    """What is to happen in one mode."""

    workflows: tuple[Wanted, ...] = ()
    change: Change | None = None


ByMode = Mapping[str, Effects]


@dataclass(frozen=True)
class Case:
    """One message, what the graph has to hold before it, and what happens in each mode; in metrics mode it counts."""

    base_name: str
    fields: Fields
    effects: ByMode
    prepare: Callable[[GraphSeed], None] = field(default=lambda _: None)

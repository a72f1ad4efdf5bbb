# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the breakers of a dependency, for pages and metrics; times are those of the loop's clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.resilience.dependency_state import DependencyState
from investigator.resilience.operation_state import OperationState


@dataclass(frozen=True, slots=True)
class OperationView:
    """An operation whose calls are held back; ``is_own`` if other operations of the dependency succeed meanwhile."""

    operation: str
    since: float
    next_probe: float
    failures: int
    waiting: int
    error: str | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A dependency, and its unavailable operations.

    ``is_open`` if no success elsewhere shows that the dependency itself is available; ``since`` is None otherwise.
    """

    name: str
    is_open: bool
    since: float | None
    next_probe: float | None
    failures: int
    waiting: int
    error: str | None
    operations: tuple[OperationView, ...] = ()


def view_of(name: str, state: DependencyState, waiting: Mapping[str, int], error: str | None) -> BreakerView:
    """Return the view of a dependency.

    Args:
        name: the dependency.
        state: its operations.
        waiting: how many calls wait for each operation.
        error: its last failure.
    """
    operations = tuple(
        _operation(operation, each, each.opened_at, state, waiting.get(operation, 0))
        for operation, each in sorted(state.operations.items())
        if each.opened_at is not None
    )
    unexplained = [each for each in operations if not each.is_own]
    return BreakerView(
        name,
        is_open=bool(unexplained),
        since=min((each.since for each in unexplained), default=None),
        next_probe=min((each.next_probe for each in unexplained), default=None),
        failures=max((each.failures for each in state.operations.values()), default=0),
        waiting=sum(waiting.values()),
        error=error,
        operations=operations,
    )


def _operation(
    name: str, state: OperationState, opened_at: float, dependency: DependencyState, waiting: int
) -> OperationView:
    is_canary = dependency.is_down and not state.is_untested
    return OperationView(
        name,
        since=opened_at,
        next_probe=dependency.canary.at if is_canary else state.probes.at,
        failures=state.failures,
        waiting=waiting,
        error=state.error,
        is_own=not state.is_unexplained,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduling for invented messages."""

import contextlib
from collections.abc import Callable

from investigator.argo.kinds import WorkflowKind
from investigator.argo.scheduler import WorkflowScheduler
from investigator.delivery.errors import TemporaryError
from investigator.delivery.origin import Origin
from investigator.observability.metrics import Metrics
from tests.support.cluster_clients import ARGUMENTS

BASE_NAME = "thoth.package-release.package-released"
CREATE = "*/workflows"

Make = Callable[..., WorkflowScheduler]


def origin(offset: int = 0) -> Origin:
    """Return the origin of the message at that offset."""
    return Origin(f"test.{BASE_NAME}", 0, offset, 1_622_505_600_000)


async def schedule(
    scheduler: WorkflowScheduler, kind: WorkflowKind = "solver", offset: int = 0, **options: object
) -> None:
    """Schedule a workflow of that kind for the message at that offset."""
    arguments = {"base_name": BASE_NAME, "arguments": ARGUMENTS[kind], **options}
    await scheduler.schedule(kind, origin(offset), **arguments)  # type: ignore[arg-type]  # options are the test's


async def attempts(scheduler: WorkflowScheduler, offset: int) -> int:
    """Schedule a workflow like the engine, in at most five attempts; return their number."""
    for number in range(1, 5):
        with contextlib.suppress(TemporaryError):
            await schedule(scheduler, offset=offset)
            return number
    await schedule(scheduler, offset=offset)
    return 5


def counted(metrics: Metrics, name: str, kind: WorkflowKind = "solver") -> float:
    """Read a counter of workflows."""
    labels = {"message_type": BASE_NAME, "workflow_type": kind}
    return metrics.registry.get_sample_value(f"thoth_investigator_{name}_total", labels) or 0.0

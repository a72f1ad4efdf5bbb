# SPDX-License-Identifier: GPL-3.0-or-later
"""What the workers' metrics say, and the resume of halted topics."""

import urllib.request
from collections.abc import Iterable, Sequence

from sandbox.play.worker_pool import MetricsSnapshot
from sandbox.worker import Worker

__all__ = ["failed_attempts", "halted_topics", "resume"]


def _snapshots(workers: Iterable[Worker]) -> list[MetricsSnapshot]:
    return [MetricsSnapshot.parse(_get(worker, "/metrics")) for worker in workers]


def failed_attempts(workers: Iterable[Worker]) -> int:
    """Return the number of failed attempts since the start of the workers."""
    return int(sum(each.total("thoth_investigator_exceptions_total") for each in _snapshots(workers)))


def halted_topics(workers: Iterable[Worker]) -> frozenset[str]:
    """Return the base names of the topics that any of the workers shows as halted."""
    samples = (sample for each in _snapshots(workers) for sample in each.samples)
    halted = "thoth_investigator_halted_topics"
    return frozenset(labels["base_topic_name"] for name, labels, value in samples if name == halted and value)


def resume(workers: Sequence[Worker], base_names: Iterable[str]) -> None:
    """Resume topics by one request for each, as an operator does."""
    for base_name in base_names:
        _get(workers[0], f"/resume/{base_name}")


def _get(worker: Worker, path: str) -> str:
    with urllib.request.urlopen(f"{worker.url}{path}", timeout=60) as reply:  # noqa: S310 - our own URL
        return str(reply.read().decode())

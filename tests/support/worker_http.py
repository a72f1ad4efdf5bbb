# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP pages of a worker: status, control, and metrics by name and labels."""

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from sandbox.worker import Worker


class Scrape:
    """The metrics of a worker at one moment, as Prometheus scrapes them."""

    def __init__(self, worker: Worker) -> None:
        status, self.text = get(worker, "/metrics")
        assert status == 200

    def __getitem__(self, name: str) -> dict[tuple[str, ...], float]:
        """Return the values of a metric by the values of its labels, which are sorted by the labels' names."""
        return {
            tuple(text for _, text in sorted(sample.labels.items())): sample.value for sample in self._samples(name)
        }

    def value(self, name: str, **labels: str) -> float:
        """Return the sum over the samples of a metric that have these labels; 0 if none has."""
        return sum(sample.value for sample in self._samples(name) if labels.items() <= sample.labels.items())

    def _samples(self, name: str) -> list[Sample]:
        # The page is long and polled often, and the parser is slow: parse only the lines of this metric.
        lines = "".join(
            line for line in self.text.splitlines(keepends=True) if line.startswith((f"{name}{{", f"{name} "))
        )
        return [sample for family in text_string_to_metric_families(lines) for sample in family.samples]


def metric(worker: Worker, name: str, **labels: str) -> float:
    """Scrape a worker and return the sum over the samples of a metric that have these labels."""
    return Scrape(worker).value(name, **labels)


def get(worker: Worker, path: str, timeout: float = 15.0) -> tuple[int, str]:
    """Request a page of a worker; return its status and body, also for an error status."""
    try:
        with urllib.request.urlopen(f"{worker.url}{path}", timeout=timeout) as reply:  # noqa: S310 - our own URL
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get_json(worker: Worker, path: str) -> tuple[int, Any]:
    """Request a JSON page of a worker; return its status and the decoded body."""
    status, body = get(worker, path)
    return status, json.loads(body)

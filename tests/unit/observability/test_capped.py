# SPDX-License-Identifier: GPL-3.0-or-later
"""A producer cannot make time series without limit."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from investigator.observability.capped import CappedCounter, CappedGauge
from investigator.observability.definition import Definition
from investigator.observability.metrics import Metrics, definitions

TEXTS = {"message_version", "advise_message", "justification_type"}
LIMITED = [each for each in definitions() if TEXTS & set(each.labels)]


@pytest.mark.parametrize("definition", LIMITED, ids=lambda each: each.name)
def test_texts_of_messages_beyond_the_limit_count_as_other(definition: Definition[MetricWrapperBase]) -> None:
    """Neither many texts nor long ones make the scrape large."""
    metrics = Metrics(CollectorRegistry())
    metric = metrics.built(definition)
    assert isinstance(metric, CappedCounter | CappedGauge)
    for number in range(5_000):
        text = "x" * 500_000 if number == 0 else f"text {number}"
        metric.labels(**{name: text if name in TEXTS else "fixed" for name in definition.labels}).inc()
    assert len(generate_latest(metrics.registry)) < 500_000
    assert (
        metrics.registry.get_sample_value("thoth_investigator_capped_labels_total", {"metric": definition.name})
        == 5_000 - metric.max_series
    )


def test_a_known_series_still_counts_after_the_limit() -> None:
    """The versions of today keep their series."""
    metrics = Metrics(CollectorRegistry())
    for _ in range(2):
        for number in range(1_000):
            metrics.unknown_versions.labels("thoth.repo-init", f"v{number}").inc()
    assert metrics.unknown_versions.labels("thoth.repo-init", "v1")._value.get() == 2
    assert metrics.unknown_versions.labels("thoth.repo-init", "v999")._value.get() == 1_000

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from investigator.observability.metrics import Metrics, definitions, message_type

# The scraped name and the labels of each metric, as dashboards and alerts of existing deployments use them.
SCRAPED = {
    "thoth_investigator_consumer_info": {"version"},
    "thoth_investigator_in_progress": {"message_type"},
    "thoth_investigator_exceptions_total": {"message_type"},
    "thoth_investigator_processed_total": {"message_type"},
    "thoth_investigator_failures_total": {"message_type"},
    "thoth_investigator_dead_letters_total": {"message_type"},
    "thoth_investigator_unproved_replays_total": {"message_type"},
    "thoth_investigator_replays_for_other_groups_total": {"message_type"},
    "thoth_investigator_message_duration_seconds_count": {"message_type"},
    "thoth_investigator_scheduled_workflows_total": {"message_type", "workflow_type"},
    "thoth_investigator_deduplicated_workflows_total": {"message_type", "workflow_type"},
    "thoth_investigator_pending_workflows": {"namespace"},
    "thoth_investigator_pending_workflow_limit": {"namespace"},
    "thoth_investigator_pending_count_failing": {"namespace"},
    "thoth_investigator_quota_waiting": {"namespace"},
    "thoth_investigator_circuit_breaker_open": {"dependency"},
    "thoth_investigator_operation_unavailable_since_timestamp_seconds": {"dependency", "operation"},
    "thoth_investigator_operation_waiting_calls": {"dependency", "operation"},
    "thoth_investigator_halted_topics": {"base_topic_name"},
    "thoth_investigator_invalid_log_records_total": {"log"},
    "thoth_investigator_unreadable_batches_total": {"topic_name", "partition", "reason"},
    "thoth_investigator_missing_handler": {"base_topic_name", "message_version"},
    "thoth_investigator_unknown_versions_total": {"base_topic_name", "message_version"},
    "thoth_investigator_omitted_versions_total": {"message_type"},
    "thoth_investigator_capped_labels_total": {"metric"},
    "message_count_by_version_total": {"message_type", "message_version"},
    "current_partition_offsets": {"topic_name", "partition"},
    "thoth_database_schema_revision_script": {"component", "revision", "env"},
    "thoth_advise_justification_type_number": {"advise_message", "justification_type", "thoth_environment"},
}


def _set_every_metric(metrics: Metrics) -> None:
    metrics.consumer_info.info({"version": "1"})
    for definition in definitions():
        if definition.labels:
            metrics.built(definition).labels(*definition.labels)


def test_every_metric_is_scraped_under_the_name_and_labels_that_dashboards_use() -> None:
    """No name or label of a metric changes unnoticed."""
    registry = CollectorRegistry()
    _set_every_metric(Metrics(registry))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = {sample.name: set(sample.labels) for family in families for sample in family.samples}
    assert {name: samples.get(name) for name in SCRAPED} == SCRAPED
    assert {name for name in samples if not name.endswith(("_created", "_bucket", "_sum"))} == SCRAPED.keys()


def test_an_instance_has_the_metrics_and_the_class_their_definitions() -> None:
    """Code that counts is typed, and the documentation is generated from the table."""
    metrics = Metrics(CollectorRegistry())
    metrics.processed.labels(message_type="repo_init").inc()
    assert isinstance(metrics.processed, Counter)
    assert Metrics.processed.name == "thoth_investigator_processed"
    assert metrics.registry.get_sample_value("thoth_investigator_processed_total", {"message_type": "repo_init"}) == 1


def test_workers_in_one_process_do_not_share_metrics() -> None:
    """Nothing is registered globally, so tests may build any number of workers."""
    first, second = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    first.processed.labels(message_type="repo_init").inc()
    assert second.registry.get_sample_value("thoth_investigator_processed_total", {"message_type": "repo_init"}) is None


@pytest.mark.parametrize(
    ("base_name", "label"),
    [
        ("thoth.adviser-trigger", "adviser_trigger"),
        ("thoth.package-update.missing-package-version", "missing_package_version"),
        ("thoth.inspection-completed", "inspection_completed"),
    ],
)
def test_the_message_type_label_is_the_last_part_of_the_base_name(base_name: str, label: str) -> None:
    """Dashboards filter by this label."""
    assert message_type(base_name) == label

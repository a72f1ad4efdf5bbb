# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of messages."""

from prometheus_client import Counter, Gauge, Histogram

from investigator.observability.capped import CappedCounter, CappedGauge
from investigator.observability.definition import Definition

#: From one quick call of the cluster's API to a message that waits minutes for permits to create workflows.
_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


class MessageMetrics:
    """Say how many messages came, and what became of them."""

    in_progress = Definition(
        Gauge, "thoth_investigator_in_progress", "Messages that are being processed now", ("message_type",)
    )
    exceptions = Definition(Counter, "thoth_investigator_exceptions", "Failed attempts", ("message_type",))
    processed = Definition(
        Counter, "thoth_investigator_processed", "Messages that were processed successfully", ("message_type",)
    )
    failures = Definition(
        Counter,
        "thoth_investigator_failures",
        "Messages that failed permanently or exhausted their retries",
        ("message_type",),
    )
    dead_letters = Definition(
        Counter, "thoth_investigator_dead_letters", "Messages written to a dead-letter topic", ("message_type",)
    )
    unproved_replays = Definition(
        Counter,
        "thoth_investigator_unproved_replays",
        "Messages that claim to be replays without a valid proof, and were handled as new messages",
        ("message_type",),
    )
    replays_for_other_groups = Definition(
        Counter,
        "thoth_investigator_replays_for_other_groups",
        "Replays that the worker passed over because they are addressed to another consumer group",
        ("message_type",),
    )
    message_duration_seconds = Definition(
        Histogram,
        "thoth_investigator_message_duration_seconds",
        "Time from the acceptance of a message to its end, with all attempts and waits",
        ("message_type",),
        _DURATION_BUCKETS,
    )
    missing_handler = Definition(
        CappedGauge,
        "thoth_investigator_missing_handler",
        "Set to 1 once a message of a version came that no handler accepts",
        ("base_topic_name", "message_version"),
    )
    unknown_versions = Definition(
        CappedCounter,
        "thoth_investigator_unknown_versions",
        "Messages of a version that no handler accepts",
        ("base_topic_name", "message_version"),
    )
    omitted_versions = Definition(
        Counter,
        "thoth_investigator_omitted_versions",
        "Versions that get no solvers, as one message selected too many; here the message type is a base name",
        ("message_type",),
    )
    message_count_by_version = Definition(
        CappedCounter,
        "message_count_by_version",
        "Messages received, by type and version",
        ("message_type", "message_version"),
    )
    thoth_advise_justification_type_number = Definition(
        CappedGauge,
        "thoth_advise_justification_type_number",
        "How many times advice contained a justification",
        ("advise_message", "justification_type", "thoth_environment"),
    )
    capped_labels = Definition(
        Counter,
        "thoth_investigator_capped_labels",
        "Uses of the label value `other`, because a metric has too many texts of messages in its labels",
        ("metric",),
    )

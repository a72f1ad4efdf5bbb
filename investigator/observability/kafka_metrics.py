# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of topics and partitions."""

from prometheus_client import Counter, Gauge

from investigator.observability.definition import Definition


class KafkaMetrics:
    """Say what is consumed, what is halted, and what can't be read."""

    halted_topics = Definition(
        Gauge, "thoth_investigator_halted_topics", "Whether a topic is halted", ("base_topic_name",)
    )
    invalid_log_records = Definition(
        Counter,
        "thoth_investigator_invalid_log_records",
        "Records of the halt log that the worker passed over because no worker or command wrote them",
        ("log",),
    )
    unreadable_batches = Definition(
        Counter,
        "thoth_investigator_unreadable_batches",
        "Pauses of a partition at a batch that is damaged, or too large once it is decompressed; every 10 s until it "
        "is readable",
        ("topic_name", "partition", "reason"),
    )
    current_partition_offsets = Definition(
        Gauge,
        "current_partition_offsets",
        "The committed offset of a partition, by the worker that owns it",
        ("topic_name", "partition"),
    )

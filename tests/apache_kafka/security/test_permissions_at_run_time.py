# SPDX-License-Identifier: GPL-3.0-or-later
"""A permission on one topic that is revoked and granted again while a worker runs."""

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from tests.apache_kafka.security.secured_broker import SecuredBroker
from tests.support.blocking_kafka import BlockingKafka
from tests.support.kafka_admin import KafkaAdmin, Operation, ResourceType
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.running_workers import running
from tests.support.worker_http import metric

# Clients refresh their metadata periodically, and a topic that disappears or returns leads to a rebalance.
METADATA_SECONDS = 60.0
IN_PROGRESS = "thoth_investigator_in_progress"


@pytest.mark.parametrize("operations", [[Operation.READ], [*Operation]], ids=["READ", "every operation"])
def test_a_topic_without_permission_pauses_alone_and_continues_when_it_is_granted(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox, operations: list[Operation]
) -> None:
    """The log names the topic and the remedy; no message is lost or handled twice, and the worker is not restarted."""
    refused, other = Load(kafka, sandbox, "refused"), Load(kafka, sandbox, "other", RUN_URL)
    for topic in (refused.topic, other.topic):
        admin.create_topic(topic, partitions=3)
    admin.allow("limited", Operation.READ, ResourceType.GROUP, sandbox.group())
    for operation in Operation:
        admin.allow("limited", operation, ResourceType.TOPIC, f"{sandbox.deployment}.", prefix=True)
    worker = sandbox.worker(sandbox.env(**secured.sasl_variables("SASL_SSL", "PLAIN", "limited")))
    with running(worker):
        for load in (refused, other):
            load.send(10)
            load.wait_for_all()
        sandbox.cluster.faults.set(Fault(effect="latency", seconds=2, method="POST", body="/refused-"))
        refused.send(5)
        wait_until(lambda: metric(worker, IN_PROGRESS, message_type="repo_init") == 5, "five messages are in flight")
        for operation in operations:
            admin.deny("limited", operation, ResourceType.TOPIC, refused.topic)
        refused.send(20)
        wait_until(
            lambda: _has_remedy(worker.log_text(), refused.topic),
            "the log names the topic and the remedy",
            METADATA_SECONDS,
        )
        for _ in range(3):
            other.send(20)
            other.wait_for_all(METADATA_SECONDS)
        if Operation.DESCRIBE in operations:
            wait_until(
                lambda: not admin.is_assigned(sandbox.group(), refused.topic),
                "no member is assigned the topic",
                METADATA_SECONDS,
            )
            other.send(20)
            other.wait_for_all(METADATA_SECONDS)
        assert worker.process.status is None
        sandbox.cluster.faults.clear()
        admin.remove_denials("limited")
        refused.wait_for_all(METADATA_SECONDS)
        for load in (refused, other):
            load.wait_for_commits()


def _has_remedy(log: str, topic: str) -> bool:
    return any(topic in line and "READ" in line and "docs/kafka.md" in line for line in log.splitlines())

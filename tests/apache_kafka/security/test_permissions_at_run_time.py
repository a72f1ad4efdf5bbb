# SPDX-License-Identifier: GPL-3.0-or-later
"""A right on one topic that is taken away while workers run, and given back."""

import pytest

from sandbox.environment import Sandbox
from sandbox.faults import Fault
from tests.apache_kafka.security.secured_broker import SecuredBroker
from tests.support.blocking_kafka import BlockingKafka
from tests.support.kafka_admin import KafkaAdmin, Operation, ResourceType
from tests.support.load import RUN_URL, Load
from tests.support.polling import wait_until
from tests.support.worker_http import metric
from tests.support.workers import running

# Clients look at topics anew so often, and a group has to come together again where one has disappeared or come back.
NOTICED = 60.0
IN_PROGRESS = "thoth_investigator_in_progress"


@pytest.mark.parametrize("operations", [[Operation.READ], [*Operation]], ids=["the right to read", "every right"])
def test_a_topic_that_may_not_be_read_any_more_stops_no_other_and_goes_on_with_its_right(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox, operations: list[Operation]
) -> None:
    """The log names topic and remedy; with the right back nothing is lost or done twice, and nothing was restarted."""
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
        wait_until(lambda: metric(worker, IN_PROGRESS, message_type="repo_init") == 5, "they are in hand")
        for operation in operations:
            admin.deny("limited", operation, ResourceType.TOPIC, refused.topic)
        refused.send(20)
        wait_until(lambda: _names(worker.log_text(), refused.topic), "the log names topic and remedy", NOTICED)
        for _ in range(3):
            other.send(20)
            other.wait_for_all(NOTICED)
        if Operation.DESCRIBE in operations:
            wait_until(
                lambda: not admin.is_assigned(sandbox.group(), refused.topic), "it is nobody's any more", NOTICED
            )
            other.send(20)
            other.wait_for_all(NOTICED)
        assert worker.process.status is None
        sandbox.cluster.faults.clear()
        admin.remove_denials("limited")
        refused.wait_for_all(NOTICED)
        for load in (refused, other):
            wait_until(lambda: sum(kafka.committed(sandbox.group(), load.topic).values()) == len(load.urls), "commits")  # noqa: B023  called in its own round


def _names(log: str, topic: str) -> bool:
    return any(topic in line and "READ" in line and "docs/kafka.md" in line for line in log.splitlines())

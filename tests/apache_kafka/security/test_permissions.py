# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a worker needs, and what is said where it lacks one."""

from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_message, workflow_counts
from tests.apache_kafka.security.preflight import preflight_problem, run_preflight
from tests.apache_kafka.security.secured_broker import SecuredBroker, Variables
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.kafka_admin import KafkaAdmin, Operation, ResourceType
from tests.support.polling import wait_until
from tests.support.worker_http import metric

HALTS = "thoth.investigator.halts"


class Right(NamedTuple):
    """One right of the list in docs/kafka.md."""

    operation: Operation
    kind: ResourceType
    name: str


def _rights(deployment: str) -> dict[str, Right]:
    return {
        "the messages": Right(Operation.READ, ResourceType.TOPIC, f"{deployment}.{REPO_INIT}"),
        "the halts, to read them": Right(Operation.READ, ResourceType.TOPIC, f"{deployment}.{HALTS}"),
        "the halts, to write them": Right(Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{HALTS}"),
        "the dead letters": Right(Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{REPO_INIT}-dlt"),
        "the group": Right(Operation.READ, ResourceType.GROUP, "investigator"),
    }


def _limited(secured: SecuredBroker, deployment: str) -> Variables:
    return {**secured.sasl_variables("SASL_SSL", "PLAIN", "limited"), "KAFKA_CONSUMER_GROUP_ID": f"{deployment}-group"}


def _existing(admin: KafkaAdmin, deployment: str) -> None:
    admin.create_topic(f"{deployment}.{REPO_INIT}")
    admin.create_topic(f"{deployment}.{REPO_INIT}-dlt")
    admin.create_topic(f"{deployment}.{HALTS}", config={"cleanup.policy": "compact"})


def _rights_of(deployment: str) -> dict[str, Right]:
    group = {"the group": Right(Operation.READ, ResourceType.GROUP, f"{deployment}-group")}
    return {**_rights(deployment), **group}


def test_the_rights_of_the_documentation_are_enough(secured: SecuredBroker, admin: KafkaAdmin, deployment: str) -> None:
    """With them and no others a worker may start, where its topics exist."""
    _existing(admin, deployment)
    for right in _rights_of(deployment).values():
        admin.allow("limited", *right)
    run_preflight(deployment, _limited(secured, deployment))


@pytest.mark.parametrize("missing", _rights(""))
def test_a_missing_right_is_named(secured: SecuredBroker, admin: KafkaAdmin, deployment: str, missing: str) -> None:
    """Which operation on what; a worker that started nevertheless would do nothing, or not keep what it has to."""
    _existing(admin, deployment)
    rights = _rights_of(deployment)
    lacking = rights.pop(missing)
    for right in rights.values():
        admin.allow("limited", *right)

    problem = preflight_problem(deployment, _limited(secured, deployment))

    assert lacking.name in problem
    assert "docs/kafka.md" in problem
    if missing not in ("the messages", "the dead letters"):  # those are hidden altogether
        assert f"{lacking.operation.name} on {lacking.kind.name.lower()} {lacking.name}" in problem


def test_the_right_to_create_topics_is_wanted_where_they_are_missing(secured: SecuredBroker, deployment: str) -> None:
    """The topics are named, each of them, and that they can't be created."""
    problem = preflight_problem(deployment, _limited(secured, deployment))
    assert f"{deployment}.{HALTS}, {deployment}.{REPO_INIT} could not be created" in problem


def test_a_dead_letter_that_may_not_be_written_halts_its_topic(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox
) -> None:
    """A right that is missing for later only: the message is not passed, and the log names topic and right."""
    deployment = sandbox.deployment
    group = sandbox.group()
    admin.allow("limited", Operation.READ, ResourceType.GROUP, group)
    admin.allow("limited", Operation.READ, ResourceType.TOPIC, f"{deployment}.", prefix=True)
    admin.allow("limited", Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{HALTS}")
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1", **secured.sasl_variables("SASL_SSL", "PLAIN"))
    with sandbox.worker(environment):
        """It creates the topics."""
    limited = {**environment, **secured.sasl_variables("SASL_SSL", "PLAIN", "limited")}
    with sandbox.worker(limited) as worker:
        kafka.send(sandbox.topic(REPO_INIT), message(project_url=None))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        assert kafka.committed(group, sandbox.topic(REPO_INIT)) == {}
    assert f"{sandbox.topic(REPO_INIT)}-dlt" in worker.log_text()
    assert "docs/kafka.md" in worker.log_text()


def test_a_worker_that_loses_its_right_to_the_group_ends_and_says_why_at_its_next_start(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox
) -> None:
    """Whoever starts it again is told what is missing; with the right given back, it goes on where it was."""
    group = sandbox.group()
    admin.allow("limited", Operation.READ, ResourceType.GROUP, group)
    for operation in Operation:
        admin.allow("limited", operation, ResourceType.TOPIC, f"{sandbox.deployment}.", prefix=True)
    with sandbox.worker(sandbox.env(**secured.sasl_variables("SASL_SSL", "PLAIN", "limited"))) as worker:
        kafka.send(sandbox.topic(REPO_INIT), repo_init_message(1))
        wait_until(lambda: workflow_counts(sandbox.cluster) == {1: 1}, "the message is handled")
        admin.deny("limited", Operation.READ, ResourceType.GROUP, group)
        assert worker.wait(timeout=60) != 0
        kafka.send(sandbox.topic(REPO_INIT), repo_init_message(2))
        worker.start()
        assert worker.wait(timeout=60) == 1
        assert f"READ on group {group}" in worker.log_text()
        admin.remove_denials("limited")
        worker.start()
        wait_until(lambda: workflow_counts(sandbox.cluster) == {1: 1, 2: 1}, "it goes on")


def test_the_list_of_rights_is_that_of_the_documentation() -> None:
    """docs/kafka.md names each of them."""
    page = (Path(__file__).parents[3] / "docs" / "kafka.md").read_text("utf-8")
    for right in _rights("").values():
        assert right.operation.name in page

# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a worker needs, and the message if one is missing."""

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


class Permission(NamedTuple):
    """One permission of the list in docs/kafka.md."""

    operation: Operation
    kind: ResourceType
    name: str


def _permissions(deployment: str) -> dict[str, Permission]:
    return {
        "READ on a topic": Permission(Operation.READ, ResourceType.TOPIC, f"{deployment}.{REPO_INIT}"),
        "READ on the halts": Permission(Operation.READ, ResourceType.TOPIC, f"{deployment}.{HALTS}"),
        "WRITE on the halts": Permission(Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{HALTS}"),
        "WRITE on the dead letters": Permission(Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{REPO_INIT}-dlt"),
        "READ on the group": Permission(Operation.READ, ResourceType.GROUP, "investigator"),
    }


def _limited(secured: SecuredBroker, deployment: str) -> Variables:
    return {**secured.sasl_variables("SASL_SSL", "PLAIN", "limited"), "KAFKA_CONSUMER_GROUP_ID": f"{deployment}-group"}


def _create_topics(admin: KafkaAdmin, deployment: str) -> None:
    admin.create_topic(f"{deployment}.{REPO_INIT}")
    admin.create_topic(f"{deployment}.{REPO_INIT}-dlt")
    admin.create_topic(f"{deployment}.{HALTS}", config={"cleanup.policy": "compact"})


def _permissions_of(deployment: str) -> dict[str, Permission]:
    group = {"READ on the group": Permission(Operation.READ, ResourceType.GROUP, f"{deployment}-group")}
    return {**_permissions(deployment), **group}


def test_the_documented_permissions_are_sufficient(secured: SecuredBroker, admin: KafkaAdmin, deployment: str) -> None:
    """With these permissions only, a worker starts if its topics exist."""
    _create_topics(admin, deployment)
    for permission in _permissions_of(deployment).values():
        admin.allow("limited", *permission)
    run_preflight(deployment, _limited(secured, deployment))


@pytest.mark.parametrize("missing", _permissions(""))
def test_a_missing_permission_is_named(
    secured: SecuredBroker, admin: KafkaAdmin, deployment: str, missing: str
) -> None:
    """With operation and resource. A worker that started without it would read nothing, or could not write halts."""
    _create_topics(admin, deployment)
    permissions = _permissions_of(deployment)
    lacking = permissions.pop(missing)
    for permission in permissions.values():
        admin.allow("limited", *permission)

    problem = preflight_problem(deployment, _limited(secured, deployment))

    assert lacking.name in problem
    assert "docs/kafka.md" in problem
    # The broker hides a topic from a user without any permission on it, so the operation that is missing is unknown.
    if missing not in ("READ on a topic", "WRITE on the dead letters"):
        assert f"{lacking.operation.name} on {lacking.kind.name.lower()} {lacking.name}" in problem


def test_topics_that_the_worker_may_not_create_are_named(secured: SecuredBroker, deployment: str) -> None:
    """Missing topics need the permission to create them; the message lists each topic."""
    problem = preflight_problem(deployment, _limited(secured, deployment))
    assert f"{deployment}.{HALTS}, {deployment}.{REPO_INIT} could not be created" in problem


def test_a_topic_is_halted_if_its_dead_letter_may_not_be_written(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox
) -> None:
    """The message is not committed, and the log names the dead-letter topic and docs/kafka.md."""
    deployment = sandbox.deployment
    group = sandbox.group()
    admin.allow("limited", Operation.READ, ResourceType.GROUP, group)
    admin.allow("limited", Operation.READ, ResourceType.TOPIC, f"{deployment}.", prefix=True)
    admin.allow("limited", Operation.WRITE, ResourceType.TOPIC, f"{deployment}.{HALTS}")
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1", **secured.sasl_variables("SASL_SSL", "PLAIN"))
    with sandbox.worker(environment):
        pass  # this worker creates the topics
    limited = {**environment, **secured.sasl_variables("SASL_SSL", "PLAIN", "limited")}
    with sandbox.worker(limited) as worker:
        kafka.send(sandbox.topic(REPO_INIT), message(project_url=None))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        # The check that this worker owns the partition commits where it starts.
        assert set(kafka.committed(group, sandbox.topic(REPO_INIT)).values()) <= {0}
    assert f"{sandbox.topic(REPO_INIT)}-dlt" in worker.log_text()
    assert "docs/kafka.md" in worker.log_text()


def test_a_worker_without_permission_on_its_group_ends_and_its_next_start_names_the_permission(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox
) -> None:
    """With the permission restored, the worker continues at its commit position."""
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
        wait_until(lambda: workflow_counts(sandbox.cluster) == {1: 1, 2: 1}, "the second message is handled")


def test_the_documentation_names_each_operation() -> None:
    """docs/kafka.md lists the permissions that these tests grant."""
    page = (Path(__file__).parents[3] / "docs" / "kafka.md").read_text("utf-8")
    for permission in _permissions("").values():
        assert permission.operation.name in page

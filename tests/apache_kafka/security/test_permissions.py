# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a worker needs, and the message if one is missing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

from investigator.delivery.dead_letters import dead_letter_headers
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.retry import Failure
from investigator.kafka.acl_rules import Permission as Documented
from investigator.kafka.acl_rules import operator_permissions, worker_permissions
from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_message, workflow_counts
from tests.apache_kafka.security.preflight import preflight_problem, run_preflight
from tests.apache_kafka.security.secured_broker import SecuredBroker, Variables
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.faust_command import faust
from tests.support.kafka_admin import KafkaAdmin, Operation, ResourceType
from tests.support.polling import wait_until
from tests.support.worker_http import metric

HALTS = "thoth.investigator.halts"
REPLAYS = "thoth.investigator.replays"


class Permission(NamedTuple):
    """One permission of the list in docs/kafka.md."""

    operation: Operation
    kind: ResourceType
    name: str


def _granted(permissions: Iterable[Documented]) -> Iterator[Permission]:
    """Yield those of the documented permissions that existing topics need."""
    for each in permissions:
        if each.required:
            yield Permission(Operation[each.operation], ResourceType[each.resource.upper()], each.name)


def _permissions(deployment: str) -> dict[str, Permission]:
    documented = worker_permissions(f"{deployment}-group", [f"{deployment}.{REPO_INIT}"], f"{deployment}.{HALTS}")
    return {f"{each.operation.name} on {each.name.removeprefix(deployment)}": each for each in _granted(documented)}


def _limited(secured: SecuredBroker, deployment: str) -> Variables:
    return {**secured.sasl_variables("SASL_SSL", "PLAIN", "limited"), "KAFKA_CONSUMER_GROUP_ID": f"{deployment}-group"}


def _create_topics(admin: KafkaAdmin, deployment: str) -> None:
    admin.create_topic(f"{deployment}.{REPO_INIT}")
    admin.create_topic(f"{deployment}.{REPO_INIT}-dlt")
    admin.create_topic(f"{deployment}.{HALTS}", config={"cleanup.policy": "compact"})


def test_the_documented_permissions_are_sufficient(secured: SecuredBroker, admin: KafkaAdmin, deployment: str) -> None:
    """With these permissions only, a worker starts if its topics exist."""
    _create_topics(admin, deployment)
    for permission in _permissions(deployment).values():
        admin.allow("limited", *permission)
    run_preflight(deployment, _limited(secured, deployment))


@pytest.mark.parametrize("missing", _permissions(""))
def test_a_missing_permission_is_named(
    secured: SecuredBroker, admin: KafkaAdmin, deployment: str, missing: str
) -> None:
    """With operation and resource. A worker that started without it would read nothing, or could not write halts."""
    _create_topics(admin, deployment)
    permissions = _permissions(deployment)
    lacking = permissions.pop(missing)
    for permission in permissions.values():
        admin.allow("limited", *permission)

    problem = preflight_problem(deployment, _limited(secured, deployment))

    assert lacking.name in problem
    assert "docs/kafka.md" in problem
    # The broker hides a topic from a user without any permission on it, so the operation that is missing is unknown.
    if missing not in (f"READ on .{REPO_INIT}", f"WRITE on .{REPO_INIT}-dlt"):
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


def _command(secured: SecuredBroker, sandbox: Sandbox, *arguments: str) -> CompletedProcess[str]:
    return faust(sandbox.env(**secured.sasl_variables("SASL_SSL", "PLAIN", "limited")), *arguments)


def test_the_documented_permissions_of_operators_are_sufficient_for_all_commands(
    secured: SecuredBroker, admin: KafkaAdmin, kafka: BlockingKafka, sandbox: Sandbox
) -> None:
    """The replay needs WRITE on the message topic, and is refused without it; the other commands do not."""
    topic = sandbox.topic(REPO_INIT)
    _create_topics(admin, sandbox.deployment)
    admin.create_topic(f"{sandbox.deployment}.{REPLAYS}", config={"cleanup.policy": "compact"})
    origin = Origin(topic, 0, 0, 0)
    failed = Delivery(REPO_INIT, Partition(topic, 0), 0, None, origin, list)
    headers = dead_letter_headers(failed, Failure(ValueError(), 1), sandbox.group())
    kafka.send(f"{topic}-dlt", b"{}", partition=0, headers=headers)
    documented = operator_permissions([topic], f"{sandbox.deployment}.{HALTS}", f"{sandbox.deployment}.{REPLAYS}")
    granted = list(_granted(documented))
    last = Permission(Operation.WRITE, ResourceType.TOPIC, topic)
    for permission in granted:
        if permission != last:
            admin.allow("limited", *permission)
    for command in (("halt", REPO_INIT), ("halts",), ("resume", REPO_INIT), ("dead-letters", "list", REPO_INIT)):
        done = _command(secured, sandbox, *command)
        assert done.returncode == 0, done.stderr
    assert _command(secured, sandbox, "dead-letters", "replay", REPO_INIT, "--all").returncode == 1
    admin.allow("limited", *last)
    assert "sent 1 of 1" in _command(secured, sandbox, "dead-letters", "replay", REPO_INIT, "--all").stdout


def test_the_documentation_names_each_operation() -> None:
    """The guide lists the permissions that these tests grant, as the generated page does."""
    page = (Path(__file__).parents[3] / "docs" / "kafka.md").read_text("utf-8")
    for permission in _permissions("").values():
        assert permission.operation.name in page

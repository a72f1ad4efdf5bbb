# SPDX-License-Identifier: GPL-3.0-or-later
"""A real worker process in the sandbox."""

import json

import pytest

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.processes import ProcessFailedError, eventually

RELEASED = "thoth.package-release.package-released"


async def test_a_worker_processes_a_message_in_the_sandbox(sandbox: Sandbox) -> None:
    """It becomes healthy, creates the workflows in the cluster stand-in, commits the offset, and ends with status 0."""
    release = {"package_name": "flask", "package_version": "2.1.3", "index_url": sandbox.index.index_url()}
    message = {"component_name": "package-releases", "service_version": "1.0.0", **release}
    with sandbox.worker() as worker:
        async with KafkaClient(sandbox.broker.bootstrap_servers) as kafka:
            await kafka.send(sandbox.topic(RELEASED), message)
            assert eventually(lambda: len(sandbox.cluster.created) == 3, timeout=20), worker.log_text()[-3000:]
            assert worker.stop() == 0
            assert sum((await kafka.committed(sandbox.group(), sandbox.topic(RELEASED))).values()) == 1
    assert sorted(made.kind for made in sandbox.cluster.created) == ["revsolver", "solver", "solver"]


def test_a_failed_start_is_reported_with_the_log(sandbox: Sandbox) -> None:
    """Waiting for the worker fails as soon as the worker ends."""
    environment = sandbox.env(THOTH_CONSUMER_MODE=json.dumps(["no-such-mode"]))
    with pytest.raises(ProcessFailedError, match="THOTH_CONSUMER_MODE"), sandbox.worker(environment):
        pass


def test_overrides_replace_and_remove_variables(sandbox: Sandbox) -> None:
    """The consumer group follows from the modes."""
    environment = sandbox.env(("metrics",), THOTH_S3_ENDPOINT_URL=None, ARGO_PENDING_WORKFLOW_LIMIT="5")
    assert json.loads(environment["THOTH_CONSUMER_MODE"]) == ["metrics"]
    assert environment["KAFKA_CONSUMER_GROUP_ID"] == sandbox.group(("metrics",)) != sandbox.group()
    assert "THOTH_S3_ENDPOINT_URL" not in environment
    assert environment["ARGO_PENDING_WORKFLOW_LIMIT"] == "5"

# SPDX-License-Identifier: GPL-3.0-or-later
"""A real worker in the sandbox, driven from outside."""

import json

import pytest

from sandbox.environment import Sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.processes import ProcessFailedError, eventually

RELEASED = "thoth.package-release.package-released"


async def test_a_worker_works_in_the_sandbox(sandbox: Sandbox) -> None:
    """Guarantee: a worker with the sandbox's environment gets healthy, schedules in the stand-in, and ends with 0."""
    release = {"package_name": "flask", "package_version": "2.1.3", "index_url": sandbox.index.index_url()}
    message = {"component_name": "package-releases", "service_version": "1.0.0", **release}
    with sandbox.worker() as worker:
        async with KafkaClient(sandbox.broker.bootstrap_servers) as kafka:
            await kafka.send(sandbox.topic(RELEASED), message)
            assert eventually(lambda: len(sandbox.cluster.created) == 3, timeout=20), worker.log_text()[-3000:]
            assert worker.stop() == 0
            assert sum((await kafka.committed(sandbox.group(), sandbox.topic(RELEASED))).values()) == 1
    assert sorted(made.kind for made in sandbox.cluster.created) == ["revsolver", "solver", "solver"]


def test_a_worker_that_ends_at_its_start_shows_its_log(sandbox: Sandbox) -> None:
    """Guarantee: waiting for a worker that gives up at once fails at once, with what it said."""
    environment = sandbox.env(THOTH_CONSUMER_MODE=json.dumps(["no-such-mode"]))
    with pytest.raises(ProcessFailedError, match="THOTH_CONSUMER_MODE"), sandbox.worker(environment):
        pass


def test_overrides_may_leave_variables_out(sandbox: Sandbox) -> None:
    """Guarantee: an environment is complete, in the group of its modes, and changed by the overrides."""
    environment = sandbox.env(("metrics",), THOTH_S3_ENDPOINT_URL=None, ARGO_PENDING_WORKFLOW_LIMIT="5")
    assert json.loads(environment["THOTH_CONSUMER_MODE"]) == ["metrics"]
    assert environment["KAFKA_CONSUMER_GROUP_ID"] == sandbox.group(("metrics",)) != sandbox.group()
    assert "THOTH_S3_ENDPOINT_URL" not in environment
    assert environment["ARGO_PENDING_WORKFLOW_LIMIT"] == "5"

# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker starts in the environment of each manifest, with what Kubernetes and other tools may add to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.postgres import PostgresServer
from sandbox.tcp_ports import free_port
from tests.support.running_workers import empty_sandbox

FOLDER = Path(__file__).parents[2] / "manifests"
DEPLOYMENTS = ("backend", "metrics", "middletier")

#: Variables of Faust's own, as a Service `web` or another tool of the namespace may set them.
INJECTED = {
    "WEB_PORT": "tcp://10.0.0.1:80",
    "WEB_BIND": "nowhere",
    "APP_VERSION": "1.2.3",
    "BROKER_URL": "kafka://nowhere:1",
    "BROKER_CREDENTIALS": "user:password",
    "STREAM_WAIT_EMPTY": "1",
    "PROCESSING_GUARANTEE": "exactly_once",
}

#: What the metrics deployment lacks in the cluster: it has no service account, and needs no database.
ABSENT: dict[str, str | None] = {"KUBECONFIG": None, "KNOWLEDGE_GRAPH_PORT": str(free_port())}


@pytest.fixture(scope="module")
def sandbox(broker: Broker, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Return a sandbox without workers."""
    with empty_sandbox(broker, postgres, tmp_path_factory.mktemp("manifests")) as sandbox:
        yield sandbox


def documents(name: str) -> Any:  # noqa: ANN401  a manifest may hold anything
    """Return the only document of a manifest."""
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def environment(deployment: str) -> dict[str, str]:
    """Return the variables of a deployment's manifest, with those of its ConfigMap."""
    (container,) = documents(f"deployment-{deployment}.yaml")["spec"]["template"]["spec"]["containers"]
    return {**documents("config.yaml")["data"], **{each["name"]: each["value"] for each in container["env"]}}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_worker_starts_in_the_environment_of_its_manifest(sandbox: Sandbox, deployment: str) -> None:
    """A mode needs only what its handlers use, and only documented variables have an effect."""
    manifest = environment(deployment)
    absent = ABSENT if deployment == "metrics" else {}
    own = sandbox.env([manifest["THOTH_CONSUMER_MODE"]], **absent)
    with sandbox.worker({**manifest, **INJECTED, **own}) as worker:
        worker.wait_until_healthy()
        log = worker.log_text()
    assert "WEB_PORT" in log
    assert "Traceback" not in log

# SPDX-License-Identifier: GPL-3.0-or-later
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from investigator.argo.labels import TraceMetadata
from investigator.preflight.cluster_permissions import needed_permissions
from investigator.settings import load_settings
from investigator.settings.modes import Mode
from investigator.settings.reference import reference
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from tests.support.cluster_clients import ARGUMENTS, cluster_client

FOLDER = Path(__file__).parents[2] / "manifests"
KUBERNETES = "1.31"
SECRET = {"KNOWLEDGE_GRAPH_PASSWORD": "hunter2", "THOTH_INVESTIGATOR_REPLAY_KEY": "hunter2" * 5}

Manifest = dict[str, Any]


def _manifests() -> Iterator[Manifest]:
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text("utf-8"))


def _of_kind(kind: str) -> list[Manifest]:
    return [manifest for manifest in _manifests() if manifest["kind"] == kind]


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']} in {manifest['metadata']['namespace']}"


def _container(deployment: Manifest) -> Manifest:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def _environment(deployment: Manifest) -> dict[str, str]:
    (config,) = _of_kind("ConfigMap")
    own = {entry["name"]: entry["value"] for entry in _container(deployment)["env"]}
    return {**config["data"], **SECRET, **own}


@pytest.mark.parametrize("manifest", _manifests(), ids=_name)
def test_a_manifest_is_valid(manifest: Manifest) -> None:
    """The schemas of Kubernetes accept it, and unknown fields are errors."""
    if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        assert manifest["spec"]["endpoints"] == [{"port": "web", "path": "/metrics", "interval": "30s"}]
    else:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_each_mode_has_its_own_deployment_and_consumer_group() -> None:
    """In a shared group, only one mode would handle a hash-mismatch message."""
    environments = [_environment(deployment) for deployment in _of_kind("Deployment")]
    modes = [load_settings(environment).thoth_consumer_mode for environment in environments]
    assert sorted(modes) == sorted((mode,) for mode in Mode)
    assert len({environment["KAFKA_CONSUMER_GROUP_ID"] for environment in environments}) == len(Mode)


@pytest.mark.parametrize("deployment", _of_kind("Deployment"), ids=_name)
def test_a_deployment_fits_the_settings_the_shutdown_and_the_health_page(deployment: Manifest) -> None:
    """All settings are known and valid, the pod has time to drain, and the probes ask the health page."""
    settings = load_settings(_environment(deployment))
    known = {setting.variable for setting in reference()}
    assert _environment(deployment).keys() <= known
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > settings.thoth_investigator_shutdown_timeout + 5
    probes = [_container(deployment)[probe] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert {(probe["httpGet"]["path"], probe["httpGet"]["port"]) for probe in probes} == {("/_health", "web")}
    assert _container(deployment)["ports"] == [{"name": "web", "containerPort": 6066}]


@pytest.mark.parametrize("deployment", _of_kind("Deployment"), ids=_name)
def test_only_documented_variables_reach_a_worker(deployment: Manifest) -> None:
    """A Service named `web` would add WEB_PORT."""
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_the_secret_holds_what_the_manifests_name() -> None:
    """An operator who creates it by the comment of the ConfigMap has replays that workers recognize."""
    comment = (FOLDER / "config.yaml").read_text("utf-8").partition("apiVersion")[0]
    assert {name for name in SECRET if f"--from-literal={name}=" in comment} == SECRET.keys()
    for deployment in _of_kind("Deployment"):
        assert {"secretRef": {"name": "investigator"}} in _container(deployment)["envFrom"]
        assert load_settings(_environment(deployment)).thoth_investigator_replay_key is not None


def test_the_service_selects_the_workers_and_prometheus_selects_the_service() -> None:
    """Selectors match labels, and port names match ports."""
    (service,), (monitor,) = _of_kind("Service"), _of_kind("ServiceMonitor")
    for deployment in _of_kind("Deployment"):
        assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]


def _allowed() -> set[tuple[str, str, str, str]]:
    return {
        (role["metadata"]["namespace"], group, resource, verb)
        for role in _of_kind("Role")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _requested(cluster: ClusterStandIn) -> set[tuple[str, str, str, str]]:
    requested = set()
    for call in cluster.request_log.find(path="*/namespaces/*"):
        before, _, after = call.path.partition("/namespaces/")
        namespace, resource, *name = after.split("/")
        group = before.split("/")[2] if before.startswith("/apis/") else ""
        requested.add((namespace, group, resource, _verb(call.method, name)))
    return requested


def _verb(method: str, name: list[str]) -> str:
    return "create" if method == "POST" else "get" if name else "list"


@pytest.mark.usefixtures("cluster_environment")
def test_the_roles_allow_exactly_the_calls_that_a_worker_makes(cluster: ClusterStandIn, tmp_path: Path) -> None:
    """A worker lacks no permission and has no unused one."""
    with closing(cluster_client(cluster, tmp_path)) as client:
        client.get_solver_names()
        for method in ("schedule_adviser", "schedule_revsolver"):
            kind = method.removeprefix("schedule_")
            prepared = client.prepare(method, {**ARGUMENTS[kind], "job_id": f"{kind}-210601000000-0123456789abcdef"})
            client.count_pending(prepared.namespace, 0)
            cluster.faults.set(Fault(effect="disguise", method="POST", path="*/workflows", answer="empty success"))
            client.create(prepared, TraceMetadata({}, {}))
            cluster.faults.clear()
    assert _requested(cluster) == _allowed()


def test_a_start_checks_for_exactly_the_permissions_of_the_roles() -> None:
    """The check misses no permission, and asks for none that the roles do not grant."""
    (config,) = _of_kind("ConfigMap")
    limited = {**config["data"], **SECRET, "THOTH_CONSUMER_MODE": "middletier", "ARGO_PENDING_WORKFLOW_LIMIT": "10"}
    needed = needed_permissions(load_settings({"KAFKA_CONSUMER_GROUP_ID": "any", **limited}))
    assert {(each.namespace, each.group, each.resource, each.verb) for each in needed} == _allowed()

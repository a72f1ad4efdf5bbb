# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster stand-in: the part of OpenShift's and Argo's HTTP API that thoth-common uses, with faults on demand.

It answers invalid requests as a cluster does: a missing token with 401, an unknown namespace or object with 404, and an
existing name with 409. A denied permission is answered with 403. A required parameter without a value, or an invalid
name or label, is answered with 422.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.access_reviews import check_permission
from sandbox.cluster_api import ClusterApi
from sandbox.http_server import CONTROL, HttpServer
from sandbox.kubeconfig import write_kubeconfig
from sandbox.quotas import Quota
from sandbox.statuses import unauthorized
from sandbox.templating import load_templates
from sandbox.workflow_lifecycle import Runner, WorkflowController, WorkflowLifecycle
from sandbox.workflow_store import CreatedWorkflow, Phase, WorkflowStore

__all__ = ["ClusterStandIn", "Namespaces"]

SOLVERS = ("solver-rhel-8-py38", "solver-fedora-34-py39")


@dataclass(frozen=True, kw_only=True)
class Namespaces:
    """The names of the namespaces that investigator uses."""

    infra: str = "thoth-infra"
    backend: str = "thoth-backend"
    middletier: str = "thoth-middletier"


class ClusterStandIn(HttpServer):
    """The API server of a cluster with the sandbox's templates, and the controller that runs its workflows.

    `created` records each workflow, `request_log` each request, and `faults` holds the active faults. A caller may
    change `solvers` (the ConfigMap), `templates`, `token`, `controller.lifecycle` and `controller.run` at any time, and
    `denied`: patterns of permissions that the worker lacks, such as ``create workflows in thoth-backend``.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        namespaces: Namespaces = Namespaces(),
        solvers: Iterable[str] = SOLVERS,
        lifecycle: WorkflowLifecycle | None = None,
        run: Runner | None = None,
    ) -> None:
        """Prepare an empty cluster; without a lifecycle, workflows stay as they were created."""
        super().__init__(port)
        self.namespaces = namespaces
        self.solvers = list(solvers)
        self.token = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox
        self.denied: set[str] = set()
        self.templates = load_templates()
        self.store = WorkflowStore(sorted(set(asdict(namespaces).values())))
        self.controller = WorkflowController(self.store, lifecycle, run)
        self._api = ClusterApi(self)
        self._kubeconfigs: list[Path] = []

    @property
    def created(self) -> list[CreatedWorkflow]:
        """Each created workflow in the order of creation, deleted ones included; without seeded ones."""
        return list(self.store.created)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a KUBECONFIG file for this cluster and return its path; `rotate_token` writes it again."""
        write_kubeconfig(path, self.url, self.token)
        self._kubeconfigs.append(path)
        return path

    def environment(self, deployment: str) -> dict[str, str]:
        """Return the variables, except KUBECONFIG, with which thoth-common schedules workflows of a deployment here."""
        return {
            "THOTH_INFRA_NAMESPACE": self.namespaces.infra,
            "THOTH_BACKEND_NAMESPACE": self.namespaces.backend,
            "THOTH_MIDDLETIER_NAMESPACE": self.namespaces.middletier,
            "THOTH_DEPLOYMENT_NAME": deployment,
            "THOTH_CEPH_BUCKET_PREFIX": "data",
            "THOTH_CEPH_BUCKET": "thoth",
            "THOTH_S3_ENDPOINT_URL": "http://s3.sandbox:9000",
        }

    def rotate_token(self, token: str, *, rewrite: bool = True) -> None:
        """Accept only this bearer token from now on; with `rewrite`, write it to the KUBECONFIG files too."""
        self.token = token
        for path in self._kubeconfigs if rewrite else ():
            write_kubeconfig(path, self.url, token)

    def seed(self, namespace: str, count: int, phase: Phase | None = None) -> None:
        """Add `count` small workflows in a phase; None stands for workflows that Argo has not seen."""
        self.on_loop(lambda: self.store.seed(namespace, count, phase))

    def set_phase(self, namespace: str, name: str, phase: Phase) -> None:
        """Set the phase of a workflow."""
        self.on_loop(lambda: self.store.set_phase(self.store.get(namespace, name), phase))

    def set_quota(self, namespace: str, hard: int | None) -> None:
        """Allow at most `hard` workflows in a namespace; None removes the quota."""
        quotas = {} if hard is None else {namespace: Quota(hard)}
        self.on_loop(lambda: (self.store.quotas.pop(namespace, None), self.store.quotas.update(quotas)))

    def start_pods(self, namespace: str) -> int:
        """Start all pods of a namespace that wait, as when it gets a node; return their number."""
        return self.on_loop(lambda: self.store.pods.start(namespace))

    def delete(self, namespace: str, name: str) -> None:
        """Delete a workflow, as Argo does when its TTL after completion is over."""
        self.on_loop(lambda: self.store.delete(self.store.get(namespace, name)))

    def reset(self) -> None:
        """Delete all workflows, remove all faults and clear the records; settings stay."""
        self.on_loop(self.controller.cancel_all)
        self.on_loop(self.store.clear)
        self.denied.clear()
        self.faults.clear()
        self.request_log.clear()

    def stop(self) -> None:
        """Stop the server; the workflows stay as they are until the next start."""
        super().stop()
        self.controller.cancel_all()

    def state(self) -> dict[str, Any]:
        """Return the settings and counts for GET /_sandbox/state."""
        return {
            "namespaces": asdict(self.namespaces),
            "solvers": self.solvers,
            "workflows": self.store.counts(),
            "created": len(self.store.created),
            "requests": len(self.request_log.calls),
        }

    def check(self, request: web.Request) -> None:
        """Raise a Refusal if the bearer token is missing or wrong (401), or a permission is denied (403)."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise unauthorized()
        check_permission(request, self.denied)

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of the API and the control routes that only the cluster stand-in has."""
        yield from self._api.routes()
        yield web.get(f"{CONTROL}/workflows", self._show_created)
        yield web.post(f"{CONTROL}/seed", self._seed)
        yield web.put(f"{CONTROL}/token", self._set_token)
        yield web.put(f"{CONTROL}/quota", self._set_quota)

    async def _show_created(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(workflow) for workflow in self.created])

    async def _seed(self, request: web.Request) -> web.Response:
        arguments = await request.json()
        self.store.seed(arguments["namespace"], arguments["count"], arguments.get("phase"))
        return web.json_response(self.store.counts())

    async def _set_token(self, request: web.Request) -> web.Response:
        self.rotate_token((await request.json())["token"])
        return web.json_response({})

    async def _set_quota(self, request: web.Request) -> web.Response:
        arguments = await request.json()
        self.set_quota(arguments["namespace"], arguments.get("hard"))
        return web.json_response({})

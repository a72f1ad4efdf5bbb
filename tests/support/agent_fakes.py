# SPDX-License-Identifier: GPL-3.0-or-later
"""The outside of investigator, small and with a memory: the cluster, the graph, the package indexes.

The cluster runs each request through thoth-common itself and through the sandbox's templates, so that what is
remembered are the parameters that a workflow really gets.
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from thoth.common import OpenShift
from thoth.common.exceptions import ThothCommonExceptionError
from thoth.common.workflows import WorkflowManager

from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.origin import Origin
from sandbox.statuses import Refusal
from sandbox.templating import load_templates, process

T = TypeVar("T")

TEMPLATES = {template["metadata"]["labels"]["template"]: template for template in load_templates()}
INFRA, BACKEND, MIDDLETIER = "thoth-infra-test", "thoth-backend-test", "thoth-middletier-test"


@dataclass
class FaultInjector:
    """Every call that leaves investigator passes here, where it is counted and may fail.

    Args:
        fail_at: the number of the call that fails, from 1; 0 for none.
        error: how it fails.
        reply_lost: the call takes effect before it fails.
    """

    fail_at: int = 0
    error: Exception = field(default_factory=lambda: TemporaryError("the outside is in trouble"))
    reply_lost: bool = False
    calls: int = 0

    async def call(self, effect: Callable[[], T]) -> T:
        """Let a call take effect, unless it is the one that fails."""
        self.calls += 1
        fails = self.calls == self.fail_at
        await asyncio.sleep(0)  # as every real call does, so that steps side by side do overlap
        if fails and not self.reply_lost:
            raise self.error
        result = effect()
        if fails:
            raise self.error
        return result


@dataclass(frozen=True)
class Workflow:
    """A workflow that was created: its kind, where, under which id, and what it was given beside its template."""

    kind: WorkflowKind
    namespace: str
    id: str
    parameters: Mapping[str, str]


class ThothCommon(OpenShift):
    """thoth-common, which makes parameters out of arguments, but with the cluster left out."""

    def __init__(self) -> None:
        self.infra_namespace, self.backend_namespace, self.middletier_namespace = INFRA, BACKEND, MIDDLETIER
        self.submissions = Submissions(self)

    @property
    def workflow_manager(self) -> "Submissions":
        """The part that submits."""
        return self.submissions

    @staticmethod
    def _assign_workflow_parameters_for_ceph() -> dict[str, Any]:
        return {}  # where workflows keep their documents is the same for all


class Submissions(WorkflowManager):
    """thoth-common's submission up to the template: which one, with which parameters, and where the result goes."""

    def __init__(self, openshift: ThothCommon) -> None:
        self.openshift = openshift
        self.last: tuple[str, str, dict[str, str]] = "", "", {}

    def submit_workflow_from_template(  # type: ignore[override]  # takes what the library's own calls give
        self, _namespace: str, label_selector: str, *, template_parameters: dict[str, Any], **where: str
    ) -> None:
        """Process the template as OpenShift does, and keep the result."""
        template = copy.deepcopy(TEMPLATES[label_selector.removeprefix("template=")])
        assert set(template_parameters) <= {parameter["name"] for parameter in template["parameters"]}
        self.openshift.set_template_parameters(template, **template_parameters)
        metadata = process(template)["objects"][0]["metadata"]
        values = {entry["name"]: entry.get("value") for entry in template["parameters"]}
        given = {name: values[name] for name in template_parameters if values[name]}
        self.last = where["workflow_namespace"], metadata["name"], given


class FakeScheduler:
    """The cluster: refuses what OpenShift refuses, and counts a workflow that is there already as scheduled."""

    def __init__(self, faults: FaultInjector, solvers: list[str]) -> None:
        self.created: dict[str, Workflow] = {}
        self.requests: list[str] = []
        self.solvers = solvers
        self.when_created: Callable[[Workflow], None] = lambda _workflow: None
        self._faults = faults
        self._library = ThothCommon()

    async def solver_names(self) -> list[str]:
        """Tell what the ConfigMap lists."""
        return await self._faults.call(lambda: list(self.solvers))

    async def schedule(  # noqa: PLR0913  (the arguments of the real one)
        self,
        kind: WorkflowKind,
        origin: Origin,
        *,
        base_name: str,
        arguments: Mapping[str, Any],
        step: str = "",
        job_id: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Create the workflow, or note the request for one that exists."""
        assert base_name
        assert correlation_id
        job_id = job_id or workflow_id(WORKFLOW_KINDS[kind].prefix or arguments["solver"], origin, step)
        await self._faults.call(lambda: self._create(kind, job_id, arguments))

    def _create(self, kind: WorkflowKind, job_id: str, arguments: Mapping[str, Any]) -> None:
        try:
            getattr(self._library, WORKFLOW_KINDS[kind].method)(**arguments, job_id=job_id)
        except (Refusal, ValueError, ThothCommonExceptionError) as error:
            raise PermanentError(str(error)) from error
        self.requests.append(job_id)
        namespace, name, parameters = self._library.submissions.last
        assert name == job_id
        if job_id not in self.created:
            self.created[job_id] = Workflow(kind, namespace, job_id, parameters)
            self.when_created(self.created[job_id])


class FakeGraph:
    """The knowledge graph: what is solved and analysed, and the flags that were set."""

    def __init__(self, faults: FaultInjector) -> None:
        self.indexes = {"https://pypi.org/simple": True, "https://tensorflow.pypi.thoth-station.ninja/simple": True}
        self.solved: set[tuple[str, str, str, str]] = set()
        self.aggregated: set[tuple[str, str, str]] = set()
        self.changes: list[tuple[object, ...]] = []
        self._faults = faults

    async def registered_index_urls(self) -> list[str]:
        """Tell all indexes."""
        return await self._faults.call(lambda: list(self.indexes))

    async def enabled_index_urls(self) -> list[str]:
        """Tell the indexes that are switched on."""
        return await self._faults.call(lambda: [url for url, enabled in self.indexes.items() if enabled])

    async def package_version_exists(self, *release: str) -> bool:
        """Tell whether any solver has solved it."""
        return await self._faults.call(lambda: any(solved[:3] == release for solved in self.solved))

    async def is_solved(self, name: str, version: str, index_url: str, solver: str) -> bool:
        """Tell whether that solver has solved it."""
        return await self._faults.call(lambda: (name, version, index_url, solver) in self.solved)

    async def si_aggregated(self, *release: str) -> bool:
        """Tell whether its security was analysed."""
        return await self._faults.call(lambda: release in self.aggregated)

    async def flag_package_missing(self, *package: str) -> None:
        """Remember the flag."""
        await self._change("package missing", *package)

    async def flag_version_missing(self, *release: str) -> None:
        """Remember the flag."""
        await self._change("version missing", *release)

    async def set_provides_source_distro(self, name: str, version: str, index_url: str, *, value: bool) -> None:
        """Remember the flag."""
        await self._change("provides source distro", name, version, index_url, value)

    async def mark_hashes_absent(self, name: str, version: str, index_url: str, hashes: list[str]) -> None:
        """Remember the hashes."""
        await self._change("hashes absent", name, version, index_url, *hashes)

    async def _change(self, *change: object) -> None:
        await self._faults.call(lambda: self.changes.append(change))


class FakeIndex:
    """The package indexes: which versions of a package each lists, latest first."""

    def __init__(self, faults: FaultInjector) -> None:
        self.listed = {("https://pypi.org/simple", "flask"): ["2.0.2"]}
        self._faults = faults

    async def versions(self, index_url: str, name: str) -> list[str]:
        """Tell the versions."""
        return await self._faults.call(lambda: self.listed[index_url, name])

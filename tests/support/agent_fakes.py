# SPDX-License-Identifier: GPL-3.0-or-later
"""Fakes of the services that handlers use: the workflow scheduler, the knowledge graph, the package indexes.

They implement the Protocols of `investigator.agent.ports`. The scheduler runs each request through thoth-common and
through the sandbox's templates, so it remembers the parameters that a workflow would really get.
"""

import asyncio
import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from packaging.version import Version
from thoth.common import OpenShift
from thoth.common.exceptions import ThothCommonExceptionError
from thoth.common.workflows import WorkflowManager

from investigator.argo.ids import workflow_id
from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.delivery.origin import Origin
from investigator.graph.index_urls import registered_spelling
from investigator.package_index.listing import Listing
from investigator.package_index.specifiers import select
from sandbox.statuses import Refusal
from sandbox.templating import load_templates, process

T = TypeVar("T")

TEMPLATES = {template["metadata"]["labels"]["template"]: template for template in load_templates()}
INFRA, BACKEND, MIDDLETIER = "thoth-infra-test", "thoth-backend-test", "thoth-middletier-test"


@dataclass
class FaultInjector:
    """Counts every call of a fake, and lets one of them fail.

    Attributes:
        fail_at: the number of the call that fails, from 1; 0 for none.
        error: the error that the failing call raises.
        reply_lost: the failing call takes effect before it fails.
        calls: how many calls were made so far.
    """

    fail_at: int = 0
    error: Exception = field(default_factory=lambda: TemporaryError("injected failure"))
    reply_lost: bool = False
    calls: int = 0

    async def call(self, effect: Callable[[], T]) -> T:
        """Run the effect and return its result, unless this is the call that fails."""
        self.calls += 1
        fails = self.calls == self.fail_at
        await asyncio.sleep(0)  # as every real call does, so that concurrent steps interleave
        if fails and not self.reply_lost:
            raise self.error
        result = effect()
        if fails:
            raise self.error
        return result


@dataclass(frozen=True)
class Workflow:
    """A created workflow: kind, namespace, id, and the parameters that differ from the template's defaults."""

    kind: WorkflowKind
    namespace: str
    id: str
    parameters: Mapping[str, str]


class ThothCommon(OpenShift):
    """thoth-common without a cluster: it still turns arguments into template parameters."""

    def __init__(self) -> None:
        self.infra_namespace, self.backend_namespace, self.middletier_namespace = INFRA, BACKEND, MIDDLETIER
        self.submissions = Submissions(self)

    @property
    def workflow_manager(self) -> "Submissions":
        """The part that submits workflows."""
        return self.submissions

    @staticmethod
    def _assign_workflow_parameters_for_ceph() -> dict[str, Any]:
        return {}  # the location of documents is the same for all workflows


class Submissions(WorkflowManager):
    """thoth-common's submission of workflows, up to the processed template.

    Attributes:
        last: namespace, name and changed parameters of the last submitted workflow.
    """

    def __init__(self, openshift: ThothCommon) -> None:
        self.openshift = openshift
        self.last: tuple[str, str, dict[str, str]] = "", "", {}

    def submit_workflow_from_template(  # type: ignore[override]  # takes what the library's own calls pass
        self, _namespace: str, label_selector: str, *, template_parameters: dict[str, Any], **where: str
    ) -> None:
        """Process the template as OpenShift does, and store the result in `last`."""
        template = copy.deepcopy(TEMPLATES[label_selector.removeprefix("template=")])
        assert set(template_parameters) <= {parameter["name"] for parameter in template["parameters"]}
        self.openshift.set_template_parameters(template, **template_parameters)
        metadata = process(template)["objects"][0]["metadata"]
        values = {entry["name"]: entry.get("value") for entry in template["parameters"]}
        changed = {name: values[name] for name in template_parameters if values[name]}
        self.last = where["workflow_namespace"], metadata["name"], changed


class FakeScheduler:
    """Implements `Workflows`: refuses what OpenShift refuses, and creates no workflow twice.

    Attributes:
        created: the created workflows by id.
        requests: the ids of all requests, in order, repeated ones included.
        arguments: the arguments of the last request for each kind.
        solvers: the names of the installed solvers.
        on_created: called with each workflow that was created.
    """

    def __init__(self, faults: FaultInjector, solvers: list[str]) -> None:
        self.created: dict[str, Workflow] = {}
        self.requests: list[str] = []
        self.arguments: dict[str, dict[str, object]] = {}
        self.solvers = solvers
        self.on_created: Callable[[Workflow], None] = lambda _workflow: None
        self._faults = faults
        self._library = ThothCommon()

    async def solver_names(self) -> list[str]:
        """Return the names of the installed solvers."""
        return await self._faults.call(lambda: list(self.solvers))

    async def schedule(  # noqa: PLR0913  (the arguments of the Protocol)
        self,
        kind: WorkflowKind,
        origin: Origin,
        *,
        base_name: str,
        arguments: Mapping[str, object],
        step: str = "",
        job_id: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Record the request, and create the workflow as `Workflows.schedule` says."""
        assert base_name
        assert correlation_id
        job_id = job_id or workflow_id(WORKFLOW_KINDS[kind].prefix or str(arguments["solver"]), origin, step)
        await self._faults.call(lambda: self._create(kind, job_id, arguments))

    def _create(self, kind: WorkflowKind, job_id: str, arguments: Mapping[str, object]) -> None:
        try:
            getattr(self._library, WORKFLOW_KINDS[kind].method)(**arguments, job_id=job_id)
        except (Refusal, ValueError, ThothCommonExceptionError) as error:
            raise PermanentError(str(error)) from error
        self.requests.append(job_id)
        self.arguments[kind] = dict(arguments)
        namespace, name, parameters = self._library.submissions.last
        assert name == job_id
        if job_id not in self.created:
            self.created[job_id] = Workflow(kind, namespace, job_id, parameters)
            self.on_created(self.created[job_id])


class FakeGraph:
    """Implements `KnowledgeGraph`.

    Attributes:
        indexes: whether each registered index, by its URL, is enabled.
        solved: name, version, index URL and solver of each solved package version.
        aggregated: name, version and index URL of each package version with security indicators.
        changes: the flags that were set, in order: a word for the flag, then its subject and value.
    """

    def __init__(self, faults: FaultInjector) -> None:
        self.indexes = {"https://pypi.org/simple": True, "https://tensorflow.pypi.thoth-station.ninja/simple": True}
        self.solved: set[tuple[str, str, str, str]] = set()
        self.aggregated: set[tuple[str, str, str]] = set()
        self.changes: list[tuple[object, ...]] = []
        self._faults = faults

    async def registered_index_urls(self) -> list[str]:
        """Return the URLs of all registered indexes."""
        return await self._faults.call(lambda: list(self.indexes))

    async def enabled_index_urls(self) -> list[str]:
        """Return the URLs of the enabled indexes."""
        return await self._faults.call(lambda: [url for url, enabled in self.indexes.items() if enabled])

    async def registered_spelling(self, index_url: str) -> str:
        """Return the registered URL of the index, or the same URL."""
        return await self._faults.call(lambda: registered_spelling(index_url, self.indexes) or index_url)

    async def package_version_exists(self, name: str, version: str, index_url: str) -> bool:
        """Return whether any solver has solved the package version."""
        release = (name, version, index_url)
        return await self._faults.call(lambda: any(solved[:3] == release for solved in self.solved))

    async def is_solved(self, name: str, version: str, index_url: str, solver: str) -> bool:
        """Return whether the named solver has solved the package version."""
        return await self._faults.call(lambda: (name, version, index_url, solver) in self.solved)

    async def si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Return whether there are security indicators of the package version."""
        return await self._faults.call(lambda: (name, version, index_url) in self.aggregated)

    async def flag_package_missing(self, name: str, index_url: str) -> None:
        """Record the flag."""
        await self._change("package missing", name, index_url)

    async def flag_version_missing(self, name: str, version: str, index_url: str) -> None:
        """Record the flag."""
        await self._change("version missing", name, version, index_url)

    async def set_provides_source_distro(self, name: str, version: str, index_url: str, *, value: bool) -> None:
        """Record the flag."""
        await self._change("provides source distro", name, version, index_url, value)

    async def mark_hashes_absent(self, name: str, version: str, index_url: str, hashes: Iterable[str]) -> None:
        """Record the hashes."""
        await self._change("hashes absent", name, version, index_url, *hashes)

    async def _change(self, *change: object) -> None:
        await self._faults.call(lambda: self.changes.append(change))


class FakeIndex:
    """Implements `PackageIndexes`.

    Attributes:
        listed: the versions of a package, latest first, by index URL and package name. Others are not on the index.
    """

    def __init__(self, faults: FaultInjector) -> None:
        self.listed = {("https://pypi.org/simple", "flask"): ["2.0.2"]}
        self._faults = faults

    async def versions(self, index_url: str, name: str, specifier: str = "") -> list[str]:
        """Return the listed versions that match."""
        return await self._faults.call(lambda: self._versions(index_url, name, specifier))

    def _versions(self, index_url: str, name: str, specifier: str) -> list[str]:
        versions = [Version(text) for text in self.listed.get((index_url, name), [])]
        return [str(version) for version in select(Listing(versions, frozenset()), specifier)]

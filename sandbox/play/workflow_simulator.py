# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated work of workflows: what each stores in the graph, and which messages it sends at its end."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.play import messages
from sandbox.play.fixtures import FEDORA, affected_projects, current_hashes, dependents_of, has_sources, is_listed
from sandbox.play.messages import Outgoing, PackageVersion
from sandbox.play.requests import AdviceRequest, PackageRequirement, RequestStore
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["KnowledgeStore", "RunResult", "WorkflowSimulator"]

Parameters = Mapping[str, str | None]

#: Why Kebechet runs, by the message that caused the run: the numbers of thoth-common's InternalTriggerEnum.
_TRIGGER_NUMBERS = {
    "cve-provided": 1,
    "hash-mismatch": 2,
    "missing-package": 3,
    "missing-package-version": 4,
    "solved-package": 5,
}


class KnowledgeStore(Protocol):
    """The methods of `Knowledge` that simulated workflows use; that class documents them."""

    async def store_solved(self, package: PackageVersion, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Store that a solver has solved a package version, and the hashes of the files that it found."""

    async def store_analysis(self, package: PackageVersion, document_id: str) -> None:
        """Store a security analysis."""

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Store the packages that depend on a version, and return the number of their solved versions."""

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Store a run of an adviser."""

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Return whether a solver has solved the version; for None, whether it has solved any version."""

    async def is_analysed(self, package: PackageVersion) -> bool:
        """Return whether the graph has a security analysis of the package version."""

    async def waiting_adviser_runs(self) -> list[str]:
        """Return the job ids of the adviser runs that wait for packages to be solved."""


@dataclass(frozen=True)
class RunResult:
    """The result of a workflow: a summary to print, and the messages to send."""

    summary: str
    outgoing: tuple[Outgoing, ...] = ()


class WorkflowSimulator:
    """Simulates the workflows of one run of the scenarios.

    Two solvers solve each package version, one per environment. Each solved-package message leads to a security
    analysis unless the graph has one. In production the number of analyses, one or two, depends on timing. Here the
    solver for Fedora waits until the analysis after the other solver has ended, so that there is exactly one.

    Args:
        knowledge: the knowledge graph.
        request_store: the requests for advice.
        analysis_timeout: the seconds that the solver for Fedora waits for the analysis, at most.
    """

    def __init__(self, knowledge: KnowledgeStore, request_store: RequestStore, analysis_timeout: float = 40.0) -> None:
        self._knowledge = knowledge
        self._request_store = request_store
        self._analysis_timeout = analysis_timeout
        self._analyses_ended: dict[PackageVersion, asyncio.Event] = {}
        self._re_runs_requested: set[str] = set()
        # Solvers store one at a time: the last of several solvers must see that no requirement is lacking any more.
        self._solver_lock = asyncio.Lock()
        self._by_kind: dict[str, Callable[[str, Parameters], Awaitable[RunResult]]] = {
            "adviser": self._run_adviser,
            "kebechet": self._run_kebechet,
            "kebechet-administrator": self._run_kebechet_administrator,
            "revsolver": self._run_revsolver,
            "security-indicator": self._run_security_indicator,
            "solver": self._run_solver,
        }

    async def run(self, workflow: CreatedWorkflow) -> RunResult:
        """Simulate one workflow and return its result; an exception means that the workflow fails."""
        run = self._by_kind.get(workflow.kind, _succeed)
        return await run(workflow.name, workflow.parameters)

    async def _run_solver(self, workflow_name: str, parameters: Parameters) -> RunResult:
        solver = _required(parameters, "THOTH_SOLVER_NAME")
        name, _, version = _required(parameters, "THOTH_SOLVER_PACKAGES").partition("===")
        package = PackageVersion(name, version, _required(parameters, "THOTH_SOLVER_INDEXES"))
        if solver == FEDORA and not await self._knowledge.is_analysed(package):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._analysis_ended(package).wait(), self._analysis_timeout)
        async with self._solver_lock:
            await self._knowledge.store_solved(package, solver, workflow_name, current_hashes(name, version))
            re_runs = await self._adviser_re_runs(solver)
        return RunResult("solved, stored in the graph", (messages.solved_package(package, solver), *re_runs))

    async def _adviser_re_runs(self, solver: str) -> list[Outgoing]:
        """Return a request to re-run each waiting adviser that lacks nothing any more; only one for each adviser."""
        re_runs = []
        for job in await self._knowledge.waiting_adviser_runs():
            request = self._request_store.find(job)
            if request.solver == solver and job not in self._re_runs_requested and not await self._lacking(request):
                self._re_runs_requested.add(job)
                re_runs.append(_re_run(job, request))
        return re_runs

    async def _lacking(self, request: AdviceRequest) -> list[PackageRequirement]:
        return [
            each
            for each in request.requirements
            if not await self._knowledge.is_solved(each.name, each.version, each.index_url, request.solver)
        ]

    async def _run_revsolver(self, _: str, parameters: Parameters) -> RunResult:
        name = _required(parameters, "THOTH_REVSOLVER_PACKAGE_NAME")
        version = _required(parameters, "THOTH_REVSOLVER_PACKAGE_VERSION")
        count = await self._knowledge.store_dependents(name, version, dependents_of(name))
        if not count:
            return RunResult("no solved version depends on it")
        return RunResult(f"dependencies on it stored in the graph: {count}")

    async def _run_security_indicator(self, workflow_name: str, parameters: Parameters) -> RunResult:
        prefix = "THOTH_SECURITY_INDICATORS_PACKAGE"
        package = PackageVersion(*(_required(parameters, f"{prefix}_{part}") for part in ("NAME", "VERSION", "INDEX")))
        result = await self._analyse(workflow_name, package)
        self._analysis_ended(package).set()
        return result

    async def _analyse(self, workflow_name: str, package: PackageVersion) -> RunResult:
        if not is_listed(package.name, package.version):
            return RunResult("the index no longer has the version", (messages.missing_package_version(package),))
        if not has_sources(package.name):
            message = messages.update_provides_source_distro(package, value=False)
            return RunResult("there is no source distribution", (message,))
        await self._knowledge.store_analysis(package, workflow_name)
        return RunResult("analysed, stored in the graph")

    def _analysis_ended(self, package: PackageVersion) -> asyncio.Event:
        return self._analyses_ended.setdefault(package, asyncio.Event())

    async def _run_adviser(self, workflow_name: str, parameters: Parameters) -> RunResult:
        metadata = json.loads(_required(parameters, "THOTH_ADVISER_METADATA"))
        first_run = metadata.get("re_run_adviser_id")
        request = self._request_store.find(first_run or workflow_name)
        lacking = await self._lacking(request)
        await self._knowledge.store_advice(workflow_name, request, {each.name for each in lacking}, first_run)
        if lacking:
            names = " and ".join(each.name for each in lacking)
            unresolved = tuple(_unresolved(each, request) for each in lacking)
            return RunResult(f"lacks knowledge of {names}, waits for a solver", unresolved)
        count = len(request.requirements)
        justification = messages.advise_justification("All packages of the stack are known", "INFO", count)
        return RunResult("advice is ready" + (" after the re-run" if first_run else ""), (justification,))

    async def _run_kebechet_administrator(self, _: str, parameters: Parameters) -> RunResult:
        package = _required(parameters, "THOTH_PACKAGE_NAME")
        projects = affected_projects(package, parameters.get("THOTH_SOLVER_NAME") or None)
        cause = _required(parameters, "THOTH_MESSAGE_TYPE").rsplit(".", 1)[-1]
        metadata = {
            "message_justification": _TRIGGER_NUMBERS[cause],
            "package_name": package,
            "package_version": parameters.get("THOTH_PACKAGE_VERSION") or None,
            "package_index": _required(parameters, "THOTH_PACKAGE_INDEX"),
        }
        sender = "kebechet-administrator"
        outgoing = tuple(messages.kebechet_run_url_trigger(sender, project.url, metadata) for project in projects)
        return RunResult(f"affects {', '.join(project.slug for project in projects) or 'no project'}", outgoing)

    async def _run_kebechet(self, workflow_name: str, parameters: Parameters) -> RunResult:
        """Request advice for the repository, through user-api as Kebechet does."""
        repository = json.loads(_required(parameters, "WEBHOOK_PAYLOAD"))["repository"]["html_url"]
        job = workflow_name.replace("kebechet-job", "adviser")
        self._request_store.put(job, self._request_store.find(repository))
        trigger = messages.adviser_trigger("user-api", job_id=job, source_type="KEBECHET", origin=repository)
        return RunResult("requests advice", (trigger,))


async def _succeed(_: str, __: Parameters) -> RunResult:
    return RunResult("succeeded")


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise LookupError(f"the workflow lacks the parameter {name}")
    return value


def _unresolved(requirement: PackageRequirement, request: AdviceRequest) -> Outgoing:
    return messages.unresolved_package(
        "adviser", requirement.name, requirement.index_url, version=requirement.version, solver=request.solver
    )


def _re_run(job: str, request: AdviceRequest) -> Outgoing:
    """Return the request to re-run an adviser; the solver for Fedora stands for older releases, with adviser-re-run."""
    if request.solver == FEDORA:
        return messages.adviser_re_run(job, request.source_type, request.origin)
    origin = request.origin
    return messages.adviser_trigger("solver", re_run_adviser_id=job, source_type=request.source_type, origin=origin)

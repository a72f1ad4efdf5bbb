# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workflow does when it runs: what it stores in the graph, and which messages it sends at its end."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.play import messages
from sandbox.play.fixtures import FEDORA, affected_projects, artifacts_now, dependents_of, has_sources, is_listed
from sandbox.play.messages import Outgoing, Where
from sandbox.play.requests import AdviceRequest, Need, RequestStore
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["KnowledgeOfRuns", "Result", "Runs"]

Parameters = Mapping[str, str | None]

#: What a Kebechet run is told about why it runs: the numbers of thoth-common's InternalTriggerEnum.
_REASONS = {
    "cve-provided": 1,
    "hash-mismatch": 2,
    "missing-package": 3,
    "missing-package-version": 4,
    "solved-package": 5,
}


class KnowledgeOfRuns(Protocol):
    """What runs ask of the knowledge graph, in the words of `Knowledge`."""

    async def store_solved(self, where: Where, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Store that a solver has solved a version, and which files it saw."""

    async def store_analysis(self, where: Where, document_id: str) -> None:
        """Store a security analysis."""

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Store what depends on a version, and tell how many solved versions do."""

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Store an adviser's run."""

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Tell whether a solver has solved the version, or any."""

    async def is_analysed(self, where: Where) -> bool:
        """Tell whether the security of the version was analysed."""

    async def waiting_advices(self) -> list[str]:
        """Give the ids of the adviser runs that wait."""


@dataclass(frozen=True)
class Result:
    """What came of a run, in words for a person, and the messages to send."""

    told: str
    outgoing: tuple[Outgoing, ...] = ()


class Runs:
    """Runs the workflows of one story.

    The same package version is solved in two environments, each of which leads to a security analysis unless there is
    one. In production chance decides whether there are one or two; here the solver for Fedora waits for the end of the
    analysis that the other one led to, so that there is exactly one.

    Args:
        knowledge: the graph.
        desk: what was asked of advisers.
        patience: seconds after which the solver for Fedora waits no longer.
    """

    def __init__(self, knowledge: KnowledgeOfRuns, request_store: RequestStore, patience: float = 40.0) -> None:
        self._knowledge = knowledge
        self._desk = request_store
        self._patience = patience
        self._analyses: dict[Where, asyncio.Event] = {}
        self._woken: set[str] = set()
        self._storing = asyncio.Lock()  # solvers store one after the other, so that one of them sees what is complete
        self._by_kind: dict[str, Callable[[str, Parameters], Awaitable[Result]]] = {
            "adviser": self._advise,
            "kebechet": self._run_kebechet,
            "kebechet-administrator": self._find_projects,
            "revsolver": self._solve_backwards,
            "security-indicator": self._analyse,
            "solver": self._solve,
        }

    async def run(self, workflow: CreatedWorkflow) -> Result:
        """Run one workflow; what it raises makes the workflow fail."""
        run = self._by_kind.get(workflow.kind, _succeed)
        return await run(workflow.name, workflow.parameters)

    async def _solve(self, name: str, parameters: Parameters) -> Result:
        solver = _text(parameters, "THOTH_SOLVER_NAME")
        package, _, version = _text(parameters, "THOTH_SOLVER_PACKAGES").partition("===")
        where = Where(package, version, _text(parameters, "THOTH_SOLVER_INDEXES"))
        if solver == FEDORA and not await self._knowledge.is_analysed(where):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._analysis(where).wait(), self._patience)
        async with self._storing:
            await self._knowledge.store_solved(where, solver, name, artifacts_now(package, version))
            wanted = await self._advices_to_give_again(solver)
        return Result("solved, now in the graph", (messages.solved_package(where, solver), *wanted))

    async def _advices_to_give_again(self, solver: str) -> list[Outgoing]:
        """Give a message for each advice that lacks nothing any more; once for each, however many solvers notice."""
        found = []
        for job in await self._knowledge.waiting_advices():
            request = self._desk.find(job)
            if request.solver == solver and job not in self._woken and not await self._lacking(request):
                self._woken.add(job)
                found.append(_give_again(job, request))
        return found

    async def _lacking(self, request: AdviceRequest) -> list[Need]:
        return [
            need
            for need in request.needs
            if not await self._knowledge.is_solved(need.name, need.version, need.index_url, request.solver)
        ]

    async def _solve_backwards(self, _: str, parameters: Parameters) -> Result:
        package = _text(parameters, "THOTH_REVSOLVER_PACKAGE_NAME")
        version = _text(parameters, "THOTH_REVSOLVER_PACKAGE_VERSION")
        found = await self._knowledge.store_dependents(package, version, dependents_of(package))
        return Result(f"{found} known dependents, now in the graph" if found else "nothing known depends on it")

    async def _analyse(self, name: str, parameters: Parameters) -> Result:
        prefix = "THOTH_SECURITY_INDICATORS_PACKAGE"
        where = Where(*(_text(parameters, f"{prefix}_{part}") for part in ("NAME", "VERSION", "INDEX")))
        result = await self._analysed(name, where)
        self._analysis(where).set()
        return result

    async def _analysed(self, name: str, where: Where) -> Result:
        if not is_listed(where.name, where.version):
            return Result("the version is gone from the index", (messages.missing_package_version(where),))
        if not has_sources(where.name):
            message = messages.update_provides_source_distro(where, value=False)
            return Result("there is no source distribution", (message,))
        await self._knowledge.store_analysis(where, name)
        return Result("analysed, now in the graph")

    def _analysis(self, where: Where) -> asyncio.Event:
        return self._analyses.setdefault(where, asyncio.Event())

    async def _advise(self, name: str, parameters: Parameters) -> Result:
        metadata = json.loads(_text(parameters, "THOTH_ADVISER_METADATA"))
        first = metadata.get("re_run_adviser_id")
        request = self._desk.find(first or name)
        lacking = await self._lacking(request)
        await self._knowledge.store_advice(name, request, {need.name for need in lacking}, first)
        if lacking:
            names = " and ".join(need.name for need in lacking)
            return Result(f"knows nothing of {names}, waits", tuple(_unresolved(need, request) for need in lacking))
        justification = messages.advise_justification("All packages of the stack are known", "INFO", len(request.needs))
        return Result("advice is given" + (" at the second try" if first else ""), (justification,))

    async def _find_projects(self, _: str, parameters: Parameters) -> Result:
        package = _text(parameters, "THOTH_PACKAGE_NAME")
        projects = affected_projects(package, parameters.get("THOTH_SOLVER_NAME") or None)
        reason = _REASONS[_text(parameters, "THOTH_MESSAGE_TYPE").rsplit(".", 1)[-1]]
        metadata = {
            "message_justification": reason,
            "package_name": package,
            "package_version": parameters.get("THOTH_PACKAGE_VERSION") or None,
            "package_index": _text(parameters, "THOTH_PACKAGE_INDEX"),
        }
        sender = "kebechet-administrator"
        outgoing = tuple(messages.kebechet_run_url_trigger(sender, project.url, metadata) for project in projects)
        return Result(f"concerns {', '.join(project.slug for project in projects) or 'no project'}", outgoing)

    async def _run_kebechet(self, name: str, parameters: Parameters) -> Result:
        """Ask for advice for the repository, through user-api as Kebechet does."""
        repository = json.loads(_text(parameters, "WEBHOOK_PAYLOAD"))["repository"]["html_url"]
        job = name.replace("kebechet-job", "adviser")
        self._desk.place(job, self._desk.find(repository))
        trigger = messages.adviser_trigger("user-api", job_id=job, source_type="KEBECHET", origin=repository)
        return Result("asks for advice", (trigger,))


async def _succeed(_: str, __: Parameters) -> Result:
    return Result("done")


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise LookupError(f"the workflow has no {name}")
    return value


def _unresolved(need: Need, request: AdviceRequest) -> Outgoing:
    return messages.unresolved_package(
        "adviser", need.name, need.index_url, version=need.version, solver=request.solver
    )


def _give_again(job: str, request: AdviceRequest) -> Outgoing:
    """Ask for an advice again; the solver for Fedora is the one that is still of an older release."""
    if request.solver == FEDORA:
        return messages.adviser_re_run(job, request.source_type, request.origin)
    origin = request.origin
    return messages.adviser_trigger("solver", re_run_adviser_id=job, source_type=request.source_type, origin=origin)

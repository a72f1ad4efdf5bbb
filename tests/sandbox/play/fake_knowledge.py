# SPDX-License-Identifier: GPL-3.0-or-later
"""A knowledge graph in memory, and workflows in the form in which the cluster stand-in records them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.play.messages import PackageVersion
from sandbox.play.requests import AdviceRequest
from sandbox.workflow_store import CreatedWorkflow

URL = "http://index/pypi.org/simple"
ANNOTATION_PREFIX = "investigator.thoth-station.ninja"


@dataclass
class MemoryKnowledge:
    """The methods of `Knowledge` that the workflow simulator uses, with the same results and without a database."""

    solved: set[tuple[str, str, str, str]] = field(default_factory=set)
    analysed: set[PackageVersion] = field(default_factory=set)
    waiting: dict[str, set[str]] = field(default_factory=dict)
    hashes: dict[PackageVersion, list[str]] = field(default_factory=dict)

    async def store_solved(self, package: PackageVersion, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Store the version and its hashes; the document id must begin with the solver's name."""
        assert document_id.startswith(f"{solver}-")
        self.solved.add((package.name, package.version, package.index_url, solver))
        self.hashes[package] = list(hashes)

    async def store_analysis(self, package: PackageVersion, document_id: str) -> None:
        """Store the version as analysed."""
        assert document_id
        self.analysed.add(package)

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Return the number of solved versions of those packages; store nothing."""
        assert name
        assert version
        return sum(each[0] in set(dependents) for each in self.solved)

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Store what the run lacks; if that is nothing, the run that it repeats no longer waits."""
        assert request.requirements
        if names := set(lacking):
            self.waiting[job] = names
        elif re_run_adviser_id:
            del self.waiting[re_run_adviser_id]

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Return whether the version is stored as solved."""
        found = {each[1] for each in self.solved if (each[0], *each[2:]) == (name, index_url, solver)}
        return bool(found) if version is None else version in found

    async def is_analysed(self, package: PackageVersion) -> bool:
        """Return whether the version is stored as analysed."""
        return package in self.analysed

    async def waiting_adviser_runs(self) -> list[str]:
        """Return the job ids of the runs that lack packages."""
        return list(self.waiting)


def workflow(kind: str, name: str = "some-workflow", **parameters: str) -> CreatedWorkflow:
    """Return a workflow of that kind with those parameters."""
    return CreatedWorkflow(kind, name, "thoth-middletier", parameters, labels={}, annotations={}, created=0.0)


def scheduled(kind: str, topic: str, partition: int, offset: int, created: float = 0.0) -> CreatedWorkflow:
    """Return a workflow that was scheduled for the message at that position."""
    origin = {"topic": topic, "partition": str(partition), "offset": str(offset)}
    annotations = {f"{ANNOTATION_PREFIX}/{name}": value for name, value in origin.items()}
    return CreatedWorkflow(kind, f"{kind}-{offset}", "thoth-middletier", {}, {}, annotations, created)

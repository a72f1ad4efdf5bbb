# SPDX-License-Identifier: GPL-3.0-or-later
"""A knowledge graph in memory, and workflows as the stand-in records them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.play.messages import Where
from sandbox.play.requests import AdviceRequest
from sandbox.workflow_store import CreatedWorkflow

URL = "http://index/pypi.org/simple"
MARKS = "investigator.thoth-station.ninja"


@dataclass
class MemoryKnowledge:
    """What the story's graph holds, by the same rules."""

    solved: set[tuple[str, str, str, str]] = field(default_factory=set)
    analysed: set[Where] = field(default_factory=set)
    waiting: dict[str, set[str]] = field(default_factory=dict)
    hashes: dict[Where, list[str]] = field(default_factory=dict)

    async def store_solved(self, where: Where, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Remember it; a document's id begins with the solver's name."""
        assert document_id.startswith(f"{solver}-")
        self.solved.add((where.name, where.version, where.index_url, solver))
        self.hashes[where] = list(hashes)

    async def store_analysis(self, where: Where, document_id: str) -> None:
        """Remember it."""
        assert document_id
        self.analysed.add(where)

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Count the solved versions of those packages."""
        assert name
        assert version
        return sum(each[0] in set(dependents) for each in self.solved)

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Remember who waits."""
        assert request.needs
        if names := set(lacking):
            self.waiting[job] = names
        elif re_run_adviser_id:
            del self.waiting[re_run_adviser_id]

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Look it up."""
        found = {each[1] for each in self.solved if (each[0], *each[2:]) == (name, index_url, solver)}
        return bool(found) if version is None else version in found

    async def is_analysed(self, where: Where) -> bool:
        """Look it up."""
        return where in self.analysed

    async def waiting_advices(self) -> list[str]:
        """Give those that wait."""
        return list(self.waiting)


def workflow(kind: str, name: str = "some-workflow", **parameters: str) -> CreatedWorkflow:
    """Make a workflow of that kind and with those parameters."""
    return CreatedWorkflow(kind, name, "thoth-middletier", parameters, labels={}, annotations={}, created=0.0)


def scheduled(kind: str, topic: str, partition: int, offset: int, created: float = 0.0) -> CreatedWorkflow:
    """Make a workflow that was scheduled for the message at that place."""
    place = {"topic": topic, "partition": str(partition), "offset": str(offset)}
    annotations = {f"{MARKS}/{name}": value for name, value in place.items()}
    return CreatedWorkflow(kind, f"{kind}-{offset}", "thoth-middletier", {}, {}, annotations, created)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph as the story's workflows and actors use it: to store what was learnt, to ask what is lacking."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from sandbox.graph_seed import GraphSeed
from sandbox.play.messages import Where
from sandbox.play.requests import AdviceRequest
from sandbox.postgres import Database

__all__ = ["Knowledge"]

T = TypeVar("T")

_UNANALYSED = """
    SELECT DISTINCT v.package_name, v.package_version, i.url FROM python_package_version v
    JOIN python_package_index i ON i.id = v.python_package_index_id
    WHERE i.enabled AND v.provides_source_distro AND NOT v.is_missing AND NOT EXISTS (
        SELECT FROM si_aggregated s WHERE s.python_package_version_entity_id = v.entity_id
    ) ORDER BY 1, 2
"""
_ANALYSED = """
    SELECT 1 FROM si_aggregated s JOIN python_package_version v ON s.python_package_version_id = v.id
    JOIN python_package_index i ON i.id = v.python_package_index_id
    WHERE v.package_name = %s AND v.package_version = %s AND i.url = %s LIMIT 1
"""
_SOLVED_VERSIONS = """
    SELECT v.package_version FROM python_package_version v
    JOIN python_package_index i ON i.id = v.python_package_index_id
    JOIN solved ON solved.version_id = v.id JOIN ecosystem_solver s ON s.id = solved.ecosystem_solver_id
    WHERE v.package_name = %s AND i.url = %s AND s.solver_name = %s
"""
_ADD_ENTITY = """
    INSERT INTO python_package_version_entity (package_name, package_version)
    SELECT %s, %s WHERE NOT EXISTS (
        SELECT FROM python_package_version_entity
        WHERE package_name = %s AND package_version IS NOT DISTINCT FROM %s AND python_package_index_id IS NULL
    )
"""
_ADD_DEPENDENTS = """
    INSERT INTO depends_on (entity_id, version_id, version_range, marker_evaluation_result)
    SELECT e.id, v.id, '*', true FROM python_package_version_entity e, python_package_version v
    WHERE e.package_name = %s AND e.package_version = %s AND e.python_package_index_id IS NULL
    AND v.package_name = ANY(%s) RETURNING version_id
"""
_ADD_ADVICE = """
    INSERT INTO adviser_run (adviser_document_id, datetime, adviser_version, adviser_name, debug, adviser_error,
        recommendation_type, requirements_format, advised_configuration_changes, additional_stack_info,
        source_type, origin, need_re_run, re_run_adviser_id)
    VALUES (%s, now(), 'sandbox', 'thoth-adviser', false, %s, 'STABLE', 'PIPENV', false, false, %s, %s, %s, %s)
    RETURNING id
"""
_ADD_LACKING = """
    INSERT INTO has_unresolved (adviser_run_id, python_package_version_entity_id)
    SELECT %s, id FROM python_package_version_entity
    WHERE package_name = %s AND package_version IS NULL AND python_package_index_id IS NULL
"""
_WAITING = "SELECT adviser_document_id FROM adviser_run WHERE need_re_run AND re_run_adviser_id IS NULL ORDER BY id"
_SATISFIED = "UPDATE adviser_run SET need_re_run = false WHERE adviser_document_id = %s"


class Knowledge:
    """Stores and asks in threads, so that the story's event loop goes on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rows = GraphSeed(database)

    async def store_solved(self, where: Where, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Store that a solver has solved a version, and which files it saw."""
        await _in_thread(partial(self.rows.solved, *_place(where), solver, document_id=document_id))
        for sha256 in hashes:
            await _in_thread(partial(self.rows.artifact, *_place(where), sha256))

    async def store_analysis(self, where: Where, document_id: str) -> None:
        """Store a security analysis that found nothing."""
        await _in_thread(partial(self.rows.si_aggregated, *_place(where), document_id=document_id))

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Store that the solved versions of those packages depend on this version; gives how many such there are."""
        return await _in_thread(partial(self._store_dependents, name, version, sorted(dependents)))

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Store an adviser's run; it waits for what is lacking; if nothing is, no earlier run waits longer."""
        await _in_thread(partial(self._store_advice, job, request, sorted(lacking), re_run_adviser_id))

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Tell whether a solver has solved the version, or any version for None."""
        rows = await self._ask(_SOLVED_VERSIONS, name, index_url, solver)
        return any(version in (None, found) for (found,) in rows)

    async def is_analysed(self, where: Where) -> bool:
        """Tell whether the security of the version was analysed."""
        return bool(await self._ask(_ANALYSED, *_place(where)))

    async def waiting_advices(self) -> list[str]:
        """Give the ids of the adviser runs that wait for packages to be solved."""
        return [job for (job,) in await self._ask(_WAITING)]

    async def unanalysed(self) -> list[Where]:
        """Give the versions whose security could be analysed but was not."""
        return [Where(*row) for row in await self._ask(_UNANALYSED)]

    async def _ask(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        return await _in_thread(partial(self._database.execute, statement, *parameters))

    def _store_dependents(self, name: str, version: str, dependents: list[str]) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(_ADD_ENTITY, (name, version, name, version))
            cursor.execute(_ADD_DEPENDENTS, (name, version, dependents))
            return len(cursor.fetchall())

    def _store_advice(self, job: str, request: AdviceRequest, lacking: list[str], re_run: str | None) -> None:
        with self._database.transaction() as cursor:
            waits = bool(lacking)
            cursor.execute(_ADD_ADVICE, (job, waits, request.source_type, request.origin, waits, re_run))
            (run,) = cursor.fetchone()
            for name in lacking:
                cursor.execute(_ADD_ENTITY, (name, None, name, None))
                cursor.execute(_ADD_LACKING, (run, name))
            if re_run and not waits:
                cursor.execute(_SATISFIED, (re_run,))


def _place(where: Where) -> tuple[str, str, str]:
    return where.name, where.version, where.index_url


async def _in_thread(function: Callable[[], T]) -> T:
    return await asyncio.to_thread(function)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph as the simulated workflows and producers use it: they store results and query what is lacking."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from sandbox.graph_seed import GraphSeed
from sandbox.play.messages import PackageVersion
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
_WAITING_RUNS = (
    "SELECT adviser_document_id FROM adviser_run WHERE need_re_run AND re_run_adviser_id IS NULL ORDER BY id"
)
_STOP_WAITING = "UPDATE adviser_run SET need_re_run = false WHERE adviser_document_id = %s"


class Knowledge:
    """An asynchronous client of the graph database; its blocking calls run in threads, so the event loop stays free."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.graph_seed = GraphSeed(database)

    async def store_solved(self, package: PackageVersion, solver: str, document_id: str, hashes: Iterable[str]) -> None:
        """Store that a solver has solved a package version, and the hashes of the files that it found."""
        await _in_thread(partial(self.graph_seed.solved, *_key(package), solver, document_id=document_id))
        for sha256 in hashes:
            await _in_thread(partial(self.graph_seed.artifact, *_key(package), sha256))

    async def store_analysis(self, package: PackageVersion, document_id: str) -> None:
        """Store a security analysis that found nothing."""
        await _in_thread(partial(self.graph_seed.si_aggregated, *_key(package), document_id=document_id))

    async def store_dependents(self, name: str, version: str, dependents: Iterable[str]) -> int:
        """Store that the solved versions of other packages depend on a package version.

        Args:
            name: the package.
            version: its version.
            dependents: the names of the packages that depend on it.

        Returns:
            The number of solved versions of those packages.
        """
        return await _in_thread(partial(self._store_dependents, name, version, sorted(dependents)))

    async def store_advice(
        self, job: str, request: AdviceRequest, lacking: Iterable[str], re_run_adviser_id: str | None
    ) -> None:
        """Store a run of an adviser.

        Args:
            job: the job id of the run.
            request: the request that the adviser answers.
            lacking: the names of the packages that the graph lacks; while there are any, the run waits.
            re_run_adviser_id: the earlier run that this one repeats; if nothing is lacking, it no longer waits.
        """
        await _in_thread(partial(self._store_advice, job, request, sorted(lacking), re_run_adviser_id))

    async def is_solved(self, name: str, version: str | None, index_url: str, solver: str) -> bool:
        """Return whether a solver has solved the version; for None, whether it has solved any version."""
        rows = await self._query(_SOLVED_VERSIONS, name, index_url, solver)
        return any(version in (None, found) for (found,) in rows)

    async def is_analysed(self, package: PackageVersion) -> bool:
        """Return whether the graph has a security analysis of the package version."""
        return bool(await self._query(_ANALYSED, *_key(package)))

    async def waiting_adviser_runs(self) -> list[str]:
        """Return the job ids of the adviser runs that wait for packages to be solved."""
        return [job for (job,) in await self._query(_WAITING_RUNS)]

    async def unanalysed(self) -> list[PackageVersion]:
        """Return the package versions that could have a security analysis and have none."""
        return [PackageVersion(*row) for row in await self._query(_UNANALYSED)]

    async def _query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
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
                cursor.execute(_STOP_WAITING, (re_run,))


def _key(package: PackageVersion) -> tuple[str, str, str]:
    return package.name, package.version, package.index_url


async def _in_thread(function: Callable[[], T]) -> T:
    return await asyncio.to_thread(function)

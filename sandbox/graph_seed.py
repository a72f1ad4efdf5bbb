# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the knowledge graph as runs of solvers and of security indicators store them, and queries for them.

Tests seed the graph with these functions, and the sandbox's workflows store their results with them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.postgres import Database

__all__ = ["PYPI", "GraphSeed", "PackageFlags"]

PYPI = "https://pypi.org/simple"
_COUNT_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = 'si_aggregated_run' AND data_type = 'integer' AND column_name <> 'id'
"""


@dataclass(frozen=True, slots=True)
class PackageFlags:
    """The flags of a package version in one environment: operating system and Python."""

    is_missing: bool
    provides_source_distro: bool


class GraphSeed:
    """A reader and writer of one graph database; the caller normalizes package names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def index(self, url: str = PYPI, *, enabled: bool = True) -> None:
        """Register a package index, or enable or disable a registered one."""
        with self._writing() as cursor:
            index = _find_or_add(cursor, "python_package_index", {"url": url}, _index_values(enabled=enabled))
            cursor.execute("UPDATE python_package_index SET enabled = %s WHERE id = %s", (enabled, index))

    def solved(self, name: str, version: str, index_url: str, solver: str, *, document_id: str = "") -> None:
        """Store that a solver, such as solver-rhel-8-py38, has solved a package version; registers index and solver."""
        environment = _environment(solver)
        with self._writing() as cursor:
            package = _package(cursor, name, version, index_url)
            entity = _find_or_add(cursor, "python_package_version_entity", package)
            values = {"entity_id": entity, "is_missing": False, "provides_source_distro": True}
            version_id = _find_or_add(cursor, "python_package_version", {**package, **environment}, values)
            solver_key = {"ecosystem": "python", "solver_name": solver, "solver_version": "1.13.0", **environment}
            solver_id = _find_or_add(cursor, "ecosystem_solver", solver_key)
            cursor.execute(
                "INSERT INTO solved (datetime, document_id, error, error_unparseable, error_unsolvable, is_provided,"
                " ecosystem_solver_id, version_id) VALUES (now(), %s, false, false, false, true, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (document_id or f"{solver}-{name}-{version}", solver_id, version_id),
            )

    def artifact(self, name: str, version: str, index_url: str, sha256: str, filename: str = "") -> None:
        """Store that a package version has a file with that hash."""
        with self._writing() as cursor:
            entity = _find_or_add(cursor, "python_package_version_entity", _package(cursor, name, version, index_url))
            values = {"artifact_name": filename or f"{name}-{version}.tar.gz", "present": True}
            artifact = _find_or_add(cursor, "python_artifact", {"artifact_hash_sha256": sha256}, values)
            cursor.execute(
                "INSERT INTO has_artifact (python_package_version_entity_id, python_artifact_id) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                (entity, artifact),
            )

    def si_aggregated(self, name: str, version: str, index_url: str, *, document_id: str = "") -> None:
        """Store a security analysis of a package version; raises LookupError if no solver has solved the version."""
        with self._writing() as cursor:
            versions = _version_ids(cursor, name, version, index_url)
            if not versions:
                raise LookupError(
                    f"{name} {version} from {index_url} is not in the graph: store it with `solved` first"
                )
            run = _add_si_run(cursor, document_id or f"security-indicator-{name}-{version}")
            for entity_id, version_id in versions:
                cursor.execute(
                    "INSERT INTO si_aggregated (si_aggregated_run_id, python_package_version_entity_id,"
                    " python_package_version_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (run, entity_id, version_id),
                )

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Provide a cursor to one writer at a time: no other write may come between a lookup and its insert."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            yield cursor

    def flags(self, name: str, version: str, index_url: str = PYPI) -> set[PackageFlags]:
        """Return the distinct flags of a package version over its environments; empty if the version is unknown."""
        rows = self._database.execute(
            "SELECT v.is_missing, v.provides_source_distro FROM python_package_version v"
            " JOIN python_package_index i ON i.id = v.python_package_index_id"
            " WHERE v.package_name = %s AND v.package_version = %s AND i.url = %s",
            name,
            version,
            index_url,
        )
        return {PackageFlags(*row) for row in rows}

    def hashes(self, name: str, version: str, index_url: str = PYPI) -> dict[str, bool]:
        """Return the SHA-256 hashes of a package version, and for each whether the index still has the file."""
        rows = self._database.execute(
            "SELECT a.artifact_hash_sha256, a.present FROM python_artifact a"
            " JOIN has_artifact h ON h.python_artifact_id = a.id"
            " JOIN python_package_version_entity e ON e.id = h.python_package_version_entity_id"
            " JOIN python_package_index i ON i.id = e.python_package_index_id"
            " WHERE e.package_name = %s AND e.package_version = %s AND i.url = %s",
            name,
            version,
            index_url,
        )
        return dict(rows)

    def solvers(self, name: str, version: str, index_url: str = PYPI) -> set[str]:
        """Return the names of the solvers that have solved a package version."""
        rows = self._database.execute(
            "SELECT s.solver_name FROM ecosystem_solver s JOIN solved ON solved.ecosystem_solver_id = s.id"
            " JOIN python_package_version v ON v.id = solved.version_id"
            " JOIN python_package_index i ON i.id = v.python_package_index_id"
            " WHERE v.package_name = %s AND v.package_version = %s AND i.url = %s",
            name,
            version,
            index_url,
        )
        return {row[0] for row in rows}


def _index_values(*, enabled: bool) -> dict[str, object]:
    return {"enabled": enabled, "verify_ssl": True, "only_if_package_seen": True}


def _package(cursor: Any, name: str, version: str, index_url: str) -> dict[str, object]:  # noqa: ANN401 - psycopg2 has no types
    index = _find_or_add(cursor, "python_package_index", {"url": index_url}, _index_values(enabled=True))
    return {"package_name": name, "package_version": version, "python_package_index_id": index}


def _environment(solver: str) -> dict[str, object]:
    """Parse the environment from a solver's name: solver-{os}-{os version}-py{Python version without its dot}."""
    _, os_name, os_version, python = solver.split("-")
    digits = python.removeprefix("py")
    return {"os_name": os_name, "os_version": os_version, "python_version": f"{digits[0]}.{digits[1:]}"}


def _version_ids(cursor: Any, name: str, version: str, index_url: str) -> list[tuple[int, int]]:  # noqa: ANN401 - psycopg2 has no types
    cursor.execute(
        "SELECT v.entity_id, v.id FROM python_package_version v"
        " JOIN python_package_index i ON i.id = v.python_package_index_id"
        " WHERE v.package_name = %s AND v.package_version = %s AND i.url = %s",
        (name, version, index_url),
    )
    return list(cursor.fetchall())


def _add_si_run(cursor: Any, document_id: str) -> int:  # noqa: ANN401 - psycopg2 has no types
    """Add a security analysis without findings: all its counts are zero."""
    cursor.execute(_COUNT_COLUMNS)
    counts = dict.fromkeys((column for (column,) in cursor.fetchall()), 0)
    values = {"si_aggregated_run_document_id": document_id, "error": False, "datetime": "now", **counts}
    return _add(cursor, "si_aggregated_run", values)


def _find_or_add(
    cursor: Any,  # noqa: ANN401 - psycopg2 has no types
    table: str,
    key: Mapping[str, object],
    values: Mapping[str, object] | None = None,
) -> int:
    """Return the id of the row with that key; if there is none, add it with the key and the values."""
    where = " AND ".join(f"{column} = %s" for column in key)
    cursor.execute(f"SELECT id FROM {table} WHERE {where}", tuple(key.values()))  # noqa: S608 - names from this module, not from input
    found = cursor.fetchone()
    return int(found[0]) if found else _add(cursor, table, {**key, **(values or {})})


def _add(cursor: Any, table: str, values: Mapping[str, object]) -> int:  # noqa: ANN401 - psycopg2 has no types
    columns, placeholders = ", ".join(values), ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({placeholders}) RETURNING id"  # noqa: S608 - names from this module, not from input
    cursor.execute(statement, tuple(values.values()))
    return int(cursor.fetchone()[0])

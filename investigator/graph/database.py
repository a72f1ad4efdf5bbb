# SPDX-License-Identifier: GPL-3.0-or-later
"""thoth-storages' `GraphDatabase` with a connection pool for a worker, and with queries that it lacks or gets wrong."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.url import URL
from sqlalchemy.orm import sessionmaker
from thoth.storages.graph.models import (
    HasArtifact,
    PythonArtifact,
    PythonPackageIndex,
    PythonPackageVersion,
    PythonPackageVersionEntity,
    SIAggregated,
)
from thoth.storages.graph.postgres import GraphDatabase

from investigator.graph.failover import leave_servers_that_refuse_writes
from investigator.graph.index_urls import registered_spelling

# The certificate authorities of the system: Python's file, or libpq's own default where Python knows none.
_SYSTEM_CA = ssl.get_default_verify_paths().cafile or "system"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The address of the graph's database, the credentials, and how TLS protects them (libpq's `sslmode`)."""

    host: str = "localhost"
    port: int = 5432
    user: str = "postgres"
    password: SecretStr = field(default_factory=lambda: SecretStr("postgres"))
    database: str = "postgres"
    ssl_mode: str = "verify-full"
    ssl_ca: Path | None = None

    def url(self) -> URL:
        """Return the address for SQLAlchemy; user name and password may contain any characters."""
        # A host that is a folder contains the socket of a local server; libpq expects it, and the port, in the query.
        local = {"host": self.host} if self.host.startswith("/") else {}
        return URL(
            "postgresql+psycopg2",
            username=self.user,
            password=self.password.get_secret_value(),
            host=None if local else self.host,
            port=self.port,
            database=self.database,
            query={**local, **self._tls()},
        )

    def _tls(self) -> dict[str, str]:
        ca = self.ssl_ca or (_SYSTEM_CA if self.ssl_mode == "verify-full" else None)
        return {"sslmode": self.ssl_mode, **({} if ca is None else {"sslrootcert": str(ca)})}


@dataclass(frozen=True, slots=True)
class DatabasePolicy:
    """How the worker uses the database; times in seconds."""

    connections: int  # one for each thread, so that no thread waits for another
    connect_timeout: int = 5  # libpq accepts whole seconds only
    statement_timeout: float = 30.0  # the queries take milliseconds; a migration may hold a lock for longer
    dead_peer_timeout: int = 15  # until a server that disappeared without closing the connection is noticed


class Database(GraphDatabase):
    """The graph's database; every method blocks, and may be used by many threads."""

    def __init__(self, address: DatabaseAddress, policy: DatabasePolicy) -> None:
        """Set up the connection pool without connecting to the server."""
        super().__init__()
        self._engine = _engine(address, policy)
        self._sessionmaker = sessionmaker(bind=self._engine)
        self._index_urls: list[str] = []

    def get_python_package_index_urls_all(self, enabled: bool | None = None) -> list[str]:  # noqa: FBT001 - as the base
        """Return the URLs of the registered indexes, and remember them if all of them are asked for."""
        urls: list[str] = super().get_python_package_index_urls_all(enabled)
        if enabled is None:
            self._index_urls = urls
        return urls

    def known_index_url(self, index_url: str) -> str | None:
        """Return the registered spelling of an index's URL without a query; None for an index not seen so far."""
        return registered_spelling(index_url, self._index_urls)

    def normalize_python_index_url(self, index_url: str | None) -> str | None:  # type: ignore[override]  # see below
        """Return the registered spelling of an index's URL; the URL itself if no spelling of it is registered.

        The library's queries call this static method of the base through their object, and so get this method. It
        queries the indexes only for a URL that it does not know yet.
        """
        if index_url is None:
            return None
        known = self.known_index_url(index_url)
        return known or registered_spelling(index_url, self.get_python_package_index_urls_all()) or index_url

    def set_package_missing(self, name: str, index_url: str) -> int:
        """Flag every known version of a package on an index as missing, and return their number."""
        rows = self.get_python_package_versions_all(name, index_url=index_url, count=None)
        versions = {version for _, version, _ in rows}
        for version in versions:
            self.update_missing_flag_package_version(*self._normalized(name, version, index_url), value=True)
        return len(versions)

    def set_missing(self, name: str, version: str, index_url: str) -> bool:
        """Flag a package version as missing on an index; return False if it is not in the graph."""
        known = self.python_package_version_exists(name, version, index_url)
        if known:
            self.update_missing_flag_package_version(*self._normalized(name, version, index_url), value=True)
        return known

    def set_provides_source_distro(self, name: str, version: str, index_url: str, *, value: bool) -> bool:
        """Record whether a source distribution exists; return False if the package version is not in the graph."""
        known = self.python_package_version_exists(name, version, index_url)
        if known:
            self.update_provides_source_distro_package_version(*self._normalized(name, version, index_url), value=value)
        return known

    def is_si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Return whether security indicators of the package version on that index are in the graph.

        The library's own query does not join the index with the version, so that the result of one index counts for
        all. It also runs outside of its session, which leaves a connection open.
        """
        name, version, index_url = self._normalized(name, version, index_url)
        with self._session_scope() as session:
            query = (
                session.query(SIAggregated)
                .join(PythonPackageVersion, PythonPackageVersion.id == SIAggregated.python_package_version_id)
                .join(PythonPackageIndex, PythonPackageIndex.id == PythonPackageVersion.python_package_index_id)
                .filter(PythonPackageVersion.package_name == name)
                .filter(PythonPackageVersion.package_version == version)
                .filter(PythonPackageIndex.url == index_url)
            )
            return bool(session.query(query.exists()).scalar())

    def mark_artifacts_absent(self, name: str, version: str, index_url: str, hashes: Iterable[str]) -> int:
        """Mark artifacts of a package version as no longer present on the index, and return their number.

        `update_python_package_hash_present_flag` of the library is meant for this, but every call of it fails.

        Args:
            name: of the package.
            version: of the package.
            index_url: the URL of the index.
            hashes: the SHA-256 of the artifacts.
        """
        name, version, index_url = self._normalized(name, version, index_url)
        with self._session_scope() as session:
            artifacts = (
                session.query(HasArtifact.python_artifact_id)
                .join(
                    PythonPackageVersionEntity,
                    PythonPackageVersionEntity.id == HasArtifact.python_package_version_entity_id,
                )
                .join(PythonPackageIndex, PythonPackageIndex.id == PythonPackageVersionEntity.python_package_index_id)
                .filter(PythonPackageVersionEntity.package_name == name)
                .filter(PythonPackageVersionEntity.package_version == version)
                .filter(PythonPackageIndex.url == index_url)
            )
            marked = (
                session.query(PythonArtifact)
                .filter(PythonArtifact.id.in_(artifacts.subquery()))
                .filter(PythonArtifact.artifact_hash_sha256.in_(list(hashes)))
                .update({"present": False}, synchronize_session=False)
            )
            return int(marked)

    def _normalized(self, name: str, version: str, index_url: str) -> tuple[str, str, str]:
        """Return name, version and index in the graph's form; some of the library's functions do not normalize them."""
        return (
            self.normalize_python_package_name(name),
            self.normalize_python_package_version(version),
            str(self.normalize_python_index_url(index_url)),
        )


def _engine(address: DatabaseAddress, policy: DatabasePolicy) -> Engine:
    quarter = max(policy.dead_peer_timeout // 4, 1)
    engine = create_engine(
        address.url(),
        pool_size=policy.connections,
        max_overflow=0,
        hide_parameters=True,  # an error's text goes into logs and dead letters; parameters come from messages
        pool_pre_ping=True,  # replaces a connection that a restarted server has closed, before its use
        connect_args={
            "connect_timeout": policy.connect_timeout,
            "target_session_attrs": "read-write",  # never a standby, whatever address leads to it
            "keepalives_idle": quarter,
            "keepalives_interval": quarter,
            "keepalives_count": 3,
            "tcp_user_timeout": policy.dead_peer_timeout * 1000,
        },
    )
    # Per transaction: with a connection pooler, a setting of the session would affect other clients.
    milliseconds = int(policy.statement_timeout * 1000)

    def limit_statements(connection: Connection) -> None:
        connection.execute(f"SET LOCAL statement_timeout = {milliseconds}")

    event.listen(engine, "begin", limit_statements)
    leave_servers_that_refuse_writes(engine)
    return engine

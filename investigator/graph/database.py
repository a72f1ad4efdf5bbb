# SPDX-License-Identifier: GPL-3.0-or-later
"""thoth-storages' `GraphDatabase` with a connection pool for a worker, and the queries that it lacks or gets wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the graph is, and who we are there."""

    host: str = "localhost"
    port: int = 5432
    user: str = "postgres"
    password: SecretStr = field(default_factory=lambda: SecretStr("postgres"))
    database: str = "postgres"
    ssl_disabled: bool = False

    def url(self) -> URL:
        """Give the address for SQLAlchemy; any characters in name and password are taken as they are."""
        # A folder is where a server on this machine keeps its socket; libpq wants it, and the port, in the query.
        local = {"host": self.host} if self.host.startswith("/") else {}
        return URL(
            "postgresql+psycopg2",
            username=self.user,
            password=self.password.get_secret_value(),
            host=None if local else self.host,
            port=self.port,
            database=self.database,
            query={**local, **({"sslmode": "disable"} if self.ssl_disabled else {})},
        )


@dataclass(frozen=True, slots=True)
class DatabasePolicy:
    """How the database is used; times in seconds."""

    connections: int  # one for each thread that asks: none of them waits for another
    connect_timeout: int = 5  # whole seconds, as libpq wants it
    statement_timeout: float = 30.0  # what is asked here takes milliseconds; a lock of a migration takes longer
    dead_peer_after: int = 15  # a server that vanished without a word is noticed after that


class Database(GraphDatabase):
    """The graph; every method blocks, and may be used by many threads."""

    def __init__(self, address: DatabaseAddress, policy: DatabasePolicy) -> None:
        """Prepare everything without asking the server."""
        super().__init__()
        self._engine = _engine(address, policy)
        self._sessionmaker = sessionmaker(bind=self._engine)

    def set_package_missing(self, name: str, index_url: str) -> int:
        """Flag every known version of a package on an index as missing; tells how many there are."""
        rows = self.get_python_package_versions_all(name, index_url=index_url, count=None)
        versions = {version for _, version, _ in rows}
        for version in versions:
            self.update_missing_flag_package_version(*self._normal(name, version, index_url), value=True)
        return len(versions)

    def set_missing(self, name: str, version: str, index_url: str) -> bool:
        """Flag a package version as missing on an index; False if the graph does not know it."""
        known = self.python_package_version_exists(name, version, index_url)
        if known:
            self.update_missing_flag_package_version(*self._normal(name, version, index_url), value=True)
        return known

    def set_provides_source_distro(self, name: str, version: str, index_url: str, *, value: bool) -> bool:
        """Note whether there is a source distribution; False if the graph does not know the package version."""
        known = self.python_package_version_exists(name, version, index_url)
        if known:
            self.update_provides_source_distro_package_version(*self._normal(name, version, index_url), value=value)
        return known

    def is_si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Tell whether security indicators of the package version on that index are in the graph.

        The library's own query does not tie the index to the version, so that a result of any index counts for all,
        and it runs outside of its session, which leaves a connection open.
        """
        name, version, index_url = self._normal(name, version, index_url)
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
        """Mark artifacts of a package version as no longer present on the index, by their SHA-256; tells how many.

        That is what `update_python_package_hash_present_flag` is meant to do, which fails whenever it is called.
        """
        name, version, index_url = self._normal(name, version, index_url)
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

    def _normal(self, name: str, version: str, index_url: str) -> tuple[str, str, str]:
        """Give name, version and index as the graph holds them; some of the library's functions leave that to us."""
        return (
            self.normalize_python_package_name(name),
            self.normalize_python_package_version(version),
            str(self.normalize_python_index_url(index_url)),
        )


def _engine(address: DatabaseAddress, policy: DatabasePolicy) -> Engine:
    quarter = max(policy.dead_peer_after // 4, 1)
    engine = create_engine(
        address.url(),
        pool_size=policy.connections,
        max_overflow=0,
        pool_pre_ping=True,  # a connection that a restarted server dropped is replaced before it is used
        connect_args={
            "connect_timeout": policy.connect_timeout,
            "keepalives_idle": quarter,
            "keepalives_interval": quarter,
            "keepalives_count": 3,
            "tcp_user_timeout": policy.dead_peer_after * 1000,
        },
    )
    # For each transaction anew: behind a pooler of connections a setting of the session would reach strangers.
    milliseconds = int(policy.statement_timeout * 1000)

    def limit_statements(connection: Connection) -> None:
        connection.execute(f"SET LOCAL statement_timeout = {milliseconds}")

    event.listen(engine, "begin", limit_statements)
    return engine

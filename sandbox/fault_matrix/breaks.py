# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break a part of a dependency; each returns a context manager that repairs it at the end.

Those of HTTP servers give a function that answers whether any request has met the fault.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.faults import Fault
from sandbox.http_server import HttpServer

__all__ = [
    "Break",
    "cluster",
    "database_connections_cut",
    "database_failover",
    "database_locked",
    "database_login_refused",
    "database_proxy",
    "database_stopped",
    "mirror",
    "mirror_stopped",
    "repeatedly",
]

#: Answers whether any request has met the fault.
IsMet = Callable[[], bool]
Break = Callable[[Surroundings], AbstractContextManager[IsMet | None]]


def cluster(*faults: Fault) -> Break:
    """Let the cluster's API answer with these faults."""
    return lambda parts: _with_faults(parts.sandbox.cluster, faults)


def mirror(*faults: Fault) -> Break:
    """Let one of the two package indexes answer with these faults."""
    return lambda parts: _with_faults(parts.mirror, faults)


@contextmanager
def _with_faults(server: HttpServer, faults: tuple[Fault, ...]) -> Iterator[IsMet]:
    server.faults.set(*faults)
    try:
        yield server.faults.have_met_requests
    finally:
        server.faults.clear()


@contextmanager
def _stopped(stop: Callable[[], object], start: Callable[[], object]) -> Iterator[None]:
    stop()
    try:
        yield
    finally:
        start()


def mirror_stopped(parts: Surroundings) -> AbstractContextManager[None]:
    """Stop one of the two package indexes: its host refuses connections."""
    return _stopped(parts.mirror.stop, parts.mirror.start)


def database_stopped(parts: Surroundings) -> AbstractContextManager[None]:
    """Stop the database server as a crash does."""
    return _stopped(parts.postgres.kill, parts.postgres.start)


@contextmanager
def database_proxy(
    parts: Surroundings, *, latency: float = 0.0, stalled: bool = False, refuses: bool = False
) -> Iterator[None]:
    """Let the way to the database delay all data by `latency` seconds, hold all data, or refuse connections."""
    parts.proxy.latency, parts.proxy.stalled = latency, stalled
    if refuses:
        parts.proxy.close()
    try:
        yield
    finally:
        parts.proxy.latency, parts.proxy.stalled = 0.0, False
        parts.proxy.open()


@contextmanager
def database_locked(parts: Surroundings) -> Iterator[None]:
    """Lock the table of package versions, as a migration does: its readers and writers wait."""
    with parts.sandbox.database.transaction() as cursor:
        cursor.execute("LOCK TABLE python_package_version IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def database_failover(parts: Surroundings, *, closes_connections: bool) -> Iterator[None]:
    """Let all connections be to a standby, which accepts no writes, until a primary is there again.

    With `closes_connections` the standby closes its connections at the end. Otherwise they stay open and refuse writes
    for as long as a client uses them, while new connections are to the primary.
    """
    name = parts.sandbox.database.name
    parts.administration.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    parts.close_database_connections()
    try:
        yield
    finally:
        parts.administration.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        if closes_connections:
            parts.close_database_connections()


@contextmanager
def database_login_refused(parts: Surroundings) -> Iterator[None]:
    """Let the workers' password be wrong, as between the two steps of a rotation, and close their connections."""
    database = parts.sandbox.database
    user, password = (database.environment()[f"KNOWLEDGE_GRAPH_{part}"] for part in ("USER", "PASSWORD"))
    with parts.administration.transaction() as cursor:  # this connection stays: no other one can log in
        cursor.execute(f"ALTER ROLE {user} PASSWORD 'another'")
        cursor.connection.commit()
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,))
        try:
            yield
        finally:
            cursor.execute(f"ALTER ROLE {user} PASSWORD %s", (password,))


@contextmanager
def repeatedly(parts: Surroundings, action: Callable[[Surroundings], object], pause: float) -> Iterator[None]:
    """Do something again and again, with pauses in seconds, in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(pause):
            action(parts)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


#: The database closes the connections of its clients every half second.
database_connections_cut: Break = partial(repeatedly, action=Surroundings.close_database_connections, pause=0.5)

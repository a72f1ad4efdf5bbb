# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph for handlers: queries and flags, without blocking the event loop."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from psycopg2 import errorcodes
from sqlalchemy import exc
from thoth.common.exceptions import ThothCommonExceptionError
from thoth.storages.exceptions import ThothStorageExceptionError

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.graph.database import Database
from investigator.resilience.breaker_group import BreakerGroup
from investigator.resilience.calls import CallPolicy, Calls

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)

# SQLSTATE classes of an unavailable server: lost connections, no connections left, shutting down or starting up.
_UNAVAILABLE = {
    errorcodes.CLASS_CONNECTION_EXCEPTION,
    errorcodes.CLASS_INSUFFICIENT_RESOURCES,
    errorcodes.CLASS_OPERATOR_INTERVENTION,
}


class GraphClient:
    """An asynchronous client of the knowledge graph; one for all messages of a worker, which closes ``database``.

    Callers may spell package names, versions and index URLs in any form; the client normalizes them. To flag a package
    version that is not in the graph is no error: a log line says that nothing was flagged.

    Every method raises PermanentError if the database can never accept the arguments, and TemporaryError if a later
    attempt may succeed.
    """

    def __init__(self, database: Database, policy: CallPolicy, breakers: BreakerGroup) -> None:
        self._database = database
        self._calls = Calls(breakers, policy, graph_error)

    async def registered_index_urls(self) -> list[str]:
        """Return the URLs of all package indexes in the graph, enabled or not."""
        return await self._read(self._database.get_python_package_index_urls_all)

    async def enabled_index_urls(self) -> list[str]:
        """Return the URLs of the enabled package indexes."""
        return await self._read(partial(self._database.get_python_package_index_urls_all, enabled=True))

    async def registered_spelling(self, index_url: str) -> str:
        """Return the URL of an index as the graph spells it; the same URL if the index is not registered.

        A spelling is looked up in the graph once.
        """
        return self._database.known_index_url(index_url) or str(
            await self._read(partial(self._database.normalize_python_index_url, index_url))
        )

    async def package_version_exists(self, name: str, version: str, index_url: str) -> bool:
        """Return whether any solver has solved the package version."""
        return await self._read(partial(self._database.python_package_version_exists, name, version, index_url))

    async def is_solved(self, name: str, version: str, index_url: str, solver: str) -> bool:
        """Return whether that solver has solved the package version."""
        return await self._read(partial(self._database.python_package_version_exists, name, version, index_url, solver))

    async def si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Return whether the graph has aggregated security indicators of the package version on that index."""
        return await self._read(partial(self._database.is_si_aggregated, name, version, index_url))

    async def flag_package_missing(self, name: str, index_url: str) -> None:
        """Flag every known version of the package on that index as missing there."""
        flagged = await self._write(partial(self._database.set_package_missing, name, index_url))
        _LOGGER.info("Flagged package versions as missing package=%s index=%s count=%d", name, index_url, flagged)

    async def flag_version_missing(self, name: str, version: str, index_url: str) -> None:
        """Flag the package version as missing on that index."""
        known = await self._write(partial(self._database.set_missing, name, version, index_url))
        _log_flag(known, "missing", True, (name, version, index_url))  # noqa: FBT003 - the flag's value

    async def set_provides_source_distro(
        self,
        name: str,
        version: str,
        index_url: str,
        value: bool,  # noqa: FBT001 - the flag's value, not a switch of this method
    ) -> None:
        """Record whether the index has a source distribution of the package version."""
        set_flag = partial(self._database.set_provides_source_distro, name, version, index_url, value=value)
        known = await self._write(set_flag)
        _log_flag(known, "provides_source_distro", value, (name, version, index_url))

    async def mark_hashes_absent(self, name: str, version: str, index_url: str, hashes: Iterable[str]) -> None:
        """Mark artifacts of the package version, given by their SHA-256, as no longer present on that index."""
        given = list(hashes)
        marked = await self._write(partial(self._database.mark_artifacts_absent, name, version, index_url, given))
        facts = (name, version, index_url, len(given), marked)
        _LOGGER.info("Marked artifacts as absent package=%s version=%s index=%s given=%d marked=%d", *facts)

    def close(self) -> None:
        """Stop the threads and close the connections to the database."""
        self._calls.close()
        self._database.disconnect()

    async def _read(self, function: Callable[[], T]) -> T:
        return await self._calls.run(function, operation="read the graph")

    async def _write(self, function: Callable[[], T]) -> T:
        return await self._calls.run(function, operation="write the graph")


def _log_flag(known: bool, flag: str, value: bool, version: tuple[str, str, str]) -> None:  # noqa: FBT001 - see above
    facts = (flag, value, *version)
    if known:
        _LOGGER.info("Flagged package version flag=%s value=%s package=%s version=%s index=%s", *facts)
    else:
        _LOGGER.warning(
            "Package version is not in the graph, nothing flagged flag=%s value=%s package=%s version=%s index=%s",
            *facts,
        )


def graph_error(error: Exception) -> Exception:
    """Map an exception of the database or the library to the error for the handler; return an unknown one unchanged."""
    if isinstance(error, exc.DBAPIError):
        return _database_error(error)
    if isinstance(error, ThothCommonExceptionError | ThothStorageExceptionError | exc.StatementError | ValueError):
        return PermanentError(f"the graph cannot store or query this: {type(error).__name__}: {error}")
    if isinstance(error, exc.SQLAlchemyError):
        return TemporaryError(f"the query of the graph failed: {error}")
    return error


def _database_error(error: exc.DBAPIError) -> PermanentError | TemporaryError:
    text = str(error.orig).strip()
    code = getattr(error.orig, "pgcode", None)  # None if the connection broke, or could not be opened
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return PermanentError(f"the graph cannot store or query this: {text}")
    if code is None or (code[:2] in _UNAVAILABLE and code != errorcodes.QUERY_CANCELED):
        return UnavailableError(f"the graph is unavailable: {text}")
    return TemporaryError(f"the query of the graph failed: {text}")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph, as handlers ask and change it: nothing here blocks the event loop."""

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
from investigator.resilience.breaker import Breaker
from investigator.resilience.calls import CallPolicy, Calls

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)

# Classes of errors that concern everybody: lost connections, no connections left, shutting down or starting up.
_AWAY = {
    errorcodes.CLASS_CONNECTION_EXCEPTION,
    errorcodes.CLASS_INSUFFICIENT_RESOURCES,
    errorcodes.CLASS_OPERATOR_INTERVENTION,
}


class GraphClient:
    """What the worker knows and learns of packages; one for all messages of a worker.

    Package names, versions and index URLs may come as they are: they are looked up in their normal form. Flagging
    what the graph does not know is no error: there is nothing to flag, and a log line says so.

    Every method raises PermanentError where the database can never take what it is given, and TemporaryError where it
    is in trouble.
    """

    def __init__(self, database: Database, policy: CallPolicy, breaker: Breaker) -> None:
        self._database = database
        self._calls = Calls(breaker, policy, graph_error)

    async def registered_index_urls(self) -> list[str]:
        """Give the URLs of all package indexes that the graph knows, enabled or not."""
        return await self._run(self._database.get_python_package_index_urls_all)

    async def enabled_index_urls(self) -> list[str]:
        """Give the URLs of the indexes that packages may be taken from."""
        return await self._run(partial(self._database.get_python_package_index_urls_all, enabled=True))

    async def package_version_exists(self, name: str, version: str, index_url: str) -> bool:
        """Tell whether any solver has solved the package version."""
        return await self._run(partial(self._database.python_package_version_exists, name, version, index_url))

    async def is_solved(self, name: str, version: str, index_url: str, solver: str) -> bool:
        """Tell whether that solver has solved the package version."""
        return await self._run(partial(self._database.python_package_version_exists, name, version, index_url, solver))

    async def si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Tell whether the graph holds aggregated security indicators of the package version on that index."""
        return await self._run(partial(self._database.is_si_aggregated, name, version, index_url))

    async def flag_package_missing(self, name: str, index_url: str) -> None:
        """Flag every known version of the package on that index as missing there."""
        flagged = await self._run(partial(self._database.set_package_missing, name, index_url))
        _LOGGER.info("Flagged %d versions of %s on %s as missing", flagged, name, index_url)

    async def flag_version_missing(self, name: str, version: str, index_url: str) -> None:
        """Flag the package version as missing on that index."""
        known = await self._run(partial(self._database.set_missing, name, version, index_url))
        _tell("missing", known, name, version, index_url)

    async def set_provides_source_distro(
        self,
        name: str,
        version: str,
        index_url: str,
        value: bool,  # noqa: FBT001 - the flag's value, not a switch of this method
    ) -> None:
        """Note whether the index has a source distribution of the package version."""
        set_flag = partial(self._database.set_provides_source_distro, name, version, index_url, value=value)
        known = await self._run(set_flag)
        _tell(f"provides_source_distro={value}", known, name, version, index_url)

    async def mark_hashes_absent(self, name: str, version: str, index_url: str, hashes: Iterable[str]) -> None:
        """Mark artifacts of the package version, given by their SHA-256, as no longer present on that index."""
        wanted = list(hashes)
        marked = await self._run(partial(self._database.mark_artifacts_absent, name, version, index_url, wanted))
        _LOGGER.info("Marked %d of %d artifacts of %s %s as absent", marked, len(wanted), name, version)

    def close(self) -> None:
        """Stop the threads and close the connections to the database."""
        self._calls.close()
        self._database.disconnect()

    async def _run(self, function: Callable[[], T]) -> T:
        return await self._calls.run(function)


def _tell(flag: str, known: bool, name: str, version: str, index_url: str) -> None:  # noqa: FBT001 - see above
    if known:
        _LOGGER.info("Flagged %s %s on %s: %s", name, version, index_url, flag)
    else:
        _LOGGER.warning("The graph does not know %s %s on %s: nothing to flag as %s", name, version, index_url, flag)


def graph_error(error: Exception) -> Exception:
    """Turn what the database or the library raised into what a handler may raise; what is unknown stays as it is."""
    if isinstance(error, exc.DBAPIError):
        return _database_error(error)
    if isinstance(error, ThothCommonExceptionError | ThothStorageExceptionError | exc.StatementError | ValueError):
        return PermanentError(f"the graph cannot take this: {type(error).__name__}: {error}")
    if isinstance(error, exc.SQLAlchemyError):
        return TemporaryError(f"the graph could not be asked: {error}")
    return error


def _database_error(error: exc.DBAPIError) -> PermanentError | TemporaryError:
    text = str(error.orig).strip()
    code = getattr(error.orig, "pgcode", None)  # None: the connection broke, or was never made
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return PermanentError(f"the graph cannot take this: {text}")
    if code is None or (code[:2] in _AWAY and code != errorcodes.QUERY_CANCELED):
        return UnavailableError(f"the graph is away: {text}")
    return TemporaryError(f"the graph is in trouble: {text}")

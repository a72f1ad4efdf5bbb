# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets connections move to the new primary after a failover of the database."""

import logging
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.engine import Engine

from investigator.graph.answers import LEAVE_SERVER, sqlstate

_LOGGER = logging.getLogger(__name__)
# PostgreSQL 14 and later report these to their clients whenever they change, so that looking at them costs no query.
_READ_ONLY = ("in_hot_standby", "default_transaction_read_only")


def leave_servers_that_refuse_writes(engine: Engine) -> None:
    """Drop the pooled connections when one leads to a server that accepts no writes any more, or that stops.

    A failover moves the address to the new primary. Connections that were opened before can stay with the old one: it
    may answer queries for a long time, from old data, while it refuses writes. New connections follow the address.
    """
    event.listen(engine, "checkout", _refuse_read_only)
    event.listen(engine, "handle_error", _drop_pool)


def _refuse_read_only(connection: Any, *_: object) -> None:  # noqa: ANN401 - psycopg2 has no types
    if any(connection.info.parameter_status(name) == "on" for name in _READ_ONLY):
        _LOGGER.warning("Connections to the graph's server are dropped, because it accepts no writes any more")
        raise exc.InvalidatePoolError("the server accepts no writes any more")


def _drop_pool(context: Any) -> None:  # noqa: ANN401 - SQLAlchemy 1.3 has no types
    if sqlstate(context.sqlalchemy_exception or context.original_exception) in LEAVE_SERVER:
        context.is_disconnect = True

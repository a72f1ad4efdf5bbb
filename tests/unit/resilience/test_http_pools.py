# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools are replaced with the TLS context; exchanges in flight finish, and no connection is left open."""

import ssl

import urllib3

from investigator.resilience.http_pools import ReplaceablePools
from sandbox.cluster import ClusterStandIn
from sandbox.tcp_ports import HOST

FIRST, SECOND = ssl.create_default_context(), ssl.create_default_context()


def make_pools(made: list[urllib3.PoolManager]) -> ReplaceablePools:
    """Return pools; ``made`` gets each manager."""

    def make(tls: ssl.SSLContext) -> urllib3.PoolManager:
        made.append(urllib3.PoolManager(ssl_context=tls))
        return made[-1]

    return ReplaceablePools(make)


def test_pools_are_kept_for_the_same_context() -> None:
    """Connections are reused."""
    made: list[urllib3.PoolManager] = []
    pools = make_pools(made)
    for _ in range(3):
        with pools.lend(FIRST):
            pass
    with pools.lend(SECOND), pools.lend(SECOND):
        pass
    assert len(made) == 2


def test_an_exchange_in_flight_finishes_with_the_replaced_pools(cluster: ClusterStandIn) -> None:
    """Its connections are closed when it ends, also those that an answer still refers to."""
    made: list[urllib3.PoolManager] = []
    pools = make_pools(made)
    with pools.lend(FIRST) as first:
        with pools.lend(SECOND):
            pass
        answer = first.request("GET", f"http://{HOST}:{cluster.port}/version")
        assert answer.status == 401
        assert len(first.pools) == 1
    assert [len(manager.pools) for manager in made] == [0, 0]
    pools.close()


def test_pools_that_are_closed_while_in_use_are_closed_afterwards(cluster: ClusterStandIn) -> None:
    """The end of a worker does not cut an exchange."""
    made: list[urllib3.PoolManager] = []
    pools = make_pools(made)
    with pools.lend(FIRST) as first:
        pools.close()
        assert first.request("GET", f"http://{HOST}:{cluster.port}/version").status == 401
    assert len(made[0].pools) == 0

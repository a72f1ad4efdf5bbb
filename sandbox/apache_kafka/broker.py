# SPDX-License-Identifier: GPL-3.0-or-later
"""One broker of Apache Kafka, with the interface that the sandbox and the tests use."""

import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from sandbox.apache_kafka.node import CLIENTS, Listener, Node
from sandbox.broker import Broker
from sandbox.tcp_ports import free_port
from sandbox.tcp_proxy import TcpProxy

__all__ = ["ApacheKafka", "new_cluster_id"]


def new_cluster_id() -> str:
    """Return a random cluster id in Kafka's form: sixteen bytes in Base64 without padding."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


class ApacheKafka(Broker):
    """A broker with its data in a temporary folder; the data survive `kill`, but not `stop`.

    Args:
        port: the port to listen on; 0 for a free one.
        proxied: whether clients connect through a TCP proxy that can be closed; the proxy costs some throughput.
        listeners: further listeners by name, in capitals, such as those with TLS or SASL.
        config: further properties of the server.
        scram: the passwords of users for the mechanism SCRAM-SHA-512.
    """

    idempotent = True

    def __init__(
        self,
        port: int = 0,
        *,
        proxied: bool = False,
        listeners: Mapping[str, Listener] | None = None,
        config: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
    ) -> None:
        port = free_port(port)
        self._proxy = TcpProxy(port) if proxied else None
        clients = Listener(port=port, advertised=self._proxy.port if self._proxy else None)
        users = (f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in (scram or {}).items())
        options = tuple(argument for user in users for argument in ("--add-scram", user))
        self._node = Node(1, {1: free_port()}, {CLIENTS: clients, **(listeners or {})}, config or {}, options)
        self._cluster_id = new_cluster_id()
        self.bootstrap_servers = self._node.address()

    def address(self, listener: str) -> str:
        """Return the host and port at which clients reach a listener."""
        return self._node.address(listener)

    def start(self) -> None:
        """Start and wait until clients can connect; does nothing while the broker runs."""
        self._node.launch(self._cluster_id)
        self._node.wait_until_ready()
        self.open_proxy()

    def stop(self) -> None:
        """Stop and remove all data."""
        self.close_proxy()
        self._node.remove()

    def kill(self) -> None:
        """Kill the process, which cuts all connections."""
        self._node.kill()

    def suspend(self) -> None:
        """Suspend the process by SIGSTOP."""
        self._node.send(signal.SIGSTOP)

    def wake(self) -> None:
        """Continue the process by SIGCONT."""
        self._node.send(signal.SIGCONT)

    def close_proxy(self) -> None:
        """Close the proxy: cut and refuse connections; does nothing without a proxy."""
        if self._proxy is not None:
            self._proxy.close()

    def open_proxy(self) -> None:
        """Open the proxy again; does nothing without a proxy."""
        if self._proxy is not None:
            self._proxy.open()

# SPDX-License-Identifier: GPL-3.0-or-later
"""One broker of Apache Kafka, as the sandbox and the tests use brokers."""

import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from sandbox.apache_kafka.node import CLIENTS, Listener, Node
from sandbox.broker import Broker
from sandbox.ports import free_port
from sandbox.tcp_proxy import TcpProxy

__all__ = ["ApacheKafka", "new_cluster_id"]


def new_cluster_id() -> str:
    """Make an id as Kafka wants it: sixteen bytes in Base64."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


class ApacheKafka(Broker):
    """A broker of our own with its data in a temporary folder; they outlive `kill`, not `stop`.

    Args:
        port: the port to listen on; 0 for a free one.
        gated: lets clients reach it through a gate that can be closed; that costs some throughput.
        listeners: further ways in, by names in capitals; encrypted ones, or with passwords.
        config: further properties of the server.
        scram: the passwords of users for the mechanism SCRAM-SHA-512.
    """

    idempotent = True

    def __init__(
        self,
        port: int = 0,
        *,
        gated: bool = False,
        listeners: Mapping[str, Listener] | None = None,
        config: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
    ) -> None:
        port = free_port(port)
        self._gate = TcpProxy(port) if gated else None
        clients = Listener(port=port, advertised=self._gate.port if self._gate else None)
        users = (f"SCRAM-SHA-512=[name={name},password={word}]" for name, word in (scram or {}).items())
        options = tuple(word for user in users for word in ("--add-scram", user))
        self._node = Node(1, {1: free_port()}, {CLIENTS: clients, **(listeners or {})}, config or {}, options)
        self._cluster_id = new_cluster_id()
        self.bootstrap_servers = self._node.address()

    def address(self, listener: str) -> str:
        """Where clients reach it by one of the further listeners."""
        return self._node.address(listener)

    def start(self) -> None:
        """Start and wait until it lets clients in; does nothing where it runs."""
        self._node.launch(self._cluster_id)
        self._node.wait_until_up()
        self.open_gate()

    def stop(self) -> None:
        """Stop and remove what it has stored."""
        self.close_gate()
        self._node.remove()

    def kill(self) -> None:
        """Kill it; connections are cut."""
        self._node.kill()

    def suspend(self) -> None:
        """Let it hang."""
        self._node.send(signal.SIGSTOP)

    def wake(self) -> None:
        """End the hang."""
        self._node.send(signal.SIGCONT)

    def close_gate(self) -> None:
        """Make it unreachable; does nothing where it was not made with a gate."""
        if self._gate is not None:
            self._gate.close()

    def open_gate(self) -> None:
        """Make it reachable again."""
        if self._gate is not None:
            self._gate.open()

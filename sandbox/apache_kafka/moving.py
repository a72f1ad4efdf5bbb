# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker of Apache Kafka that can move to another address, while its bootstrap address stays the same."""

from sandbox.apache_kafka.broker import ApacheKafka
from sandbox.tcp_proxy import TcpProxy

__all__ = ["MovingKafka"]


class MovingKafka(ApacheKafka):
    """A broker behind a bootstrap address, as behind a Kubernetes Service: clients learn the broker's own from that."""

    def __init__(self) -> None:
        super().__init__()
        self._bootstrap = TcpProxy(self._port())
        self.bootstrap_servers = f"127.0.0.1:{self._bootstrap.port}"

    def _port(self) -> int:
        return int(self._node.address().rpartition(":")[2])

    def start(self) -> None:
        """Start at the present address."""
        super().start()
        self._bootstrap.open()

    def stop(self) -> None:
        """Stop and remove all data."""
        self._bootstrap.close()
        super().stop()

    def move(self) -> None:
        """Kill the broker and start it at another address, with its data."""
        self.kill()
        self._node.move()
        self._bootstrap.retarget(self._port())
        super().start()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Several brokers of Apache Kafka that keep copies of each other's partitions."""

import signal
from collections.abc import Mapping

from sandbox.apache_kafka.broker import new_cluster_id
from sandbox.apache_kafka.node import CLIENTS, Listener, Node
from sandbox.broker import Broker
from sandbox.ports import free_port

__all__ = ["ApacheKafkaCluster"]


class ApacheKafkaCluster(Broker):
    """Three brokers; every partition is on each, and a write with acks=all is on two at least when it is acknowledged.

    What the class Broker does to one broker, this does to all of them; `nodes` may be killed and launched one by one.
    """

    idempotent = True

    def __init__(self, size: int = 3, config: Mapping[str, str] | None = None) -> None:
        numbers = range(1, size + 1)
        voters = {number: free_port() for number in numbers}
        copies = {
            name: str(count)
            for prefix, count in (("replication.factor", size), ("min.isr", size - 1))
            for name in (f"{topic}.{prefix}" for topic in ("transaction.state.log", "share.coordinator.state.topic"))
        }
        replicated = {
            **copies,
            "default.replication.factor": str(size),
            "min.insync.replicas": str(size - 1),
            "offsets.topic.replication.factor": str(size),
            "replica.lag.time.max.ms": "5000",
        }
        self.nodes = [
            Node(number, voters, {CLIENTS: Listener()}, {**replicated, **(config or {})}) for number in numbers
        ]
        self.copies = size
        self._cluster_id = new_cluster_id()
        self.bootstrap_servers = ",".join(node.address() for node in self.nodes)

    def start(self) -> None:
        """Start those that do not run and wait until all let clients in."""
        for node in self.nodes:
            node.launch(self._cluster_id)
        for node in self.nodes:
            node.wait_until_up()

    def restart(self, node: Node) -> None:
        """Start one that was killed and wait until it lets clients in."""
        node.launch(self._cluster_id)
        node.wait_until_up()

    def stop(self) -> None:
        """Stop all and remove what they have stored."""
        for node in self.nodes:
            node.remove()

    def kill(self) -> None:
        """Kill all at once."""
        for node in self.nodes:
            node.kill()

    def suspend(self) -> None:
        """Let all hang."""
        for node in self.nodes:
            node.send(signal.SIGSTOP)

    def wake(self) -> None:
        """End the hang."""
        for node in self.nodes:
            node.send(signal.SIGCONT)

    def close_gate(self) -> None:
        """Refuse: they can be killed or suspended, but have no gate."""
        raise RuntimeError("several brokers have no gate: kill or suspend them")

    open_gate = close_gate

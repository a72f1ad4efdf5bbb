# SPDX-License-Identifier: GPL-3.0-or-later
"""Several Apache Kafka brokers of one Kafka cluster, with replicated partitions."""

import signal
from collections.abc import Mapping

from sandbox.apache_kafka.broker import new_cluster_id
from sandbox.apache_kafka.node import CLIENTS, Listener, Node
from sandbox.broker import Broker
from sandbox.tcp_ports import free_port

__all__ = ["ApacheKafkaBrokers"]


class ApacheKafkaBrokers(Broker):
    """Several brokers, `size` in number: the replication factor is `size`, and min.insync.replicas is `size` - 1.

    Each method of Broker acts on all brokers. A test may kill and launch single ones through `nodes`.
    """

    idempotent = True

    def __init__(self, size: int = 3, config: Mapping[str, str] | None = None) -> None:
        numbers = range(1, size + 1)
        voters = {number: free_port() for number in numbers}
        internal_topics = {
            name: str(count)
            for prefix, count in (("replication.factor", size), ("min.isr", size - 1))
            for name in (f"{topic}.{prefix}" for topic in ("transaction.state.log", "share.coordinator.state.topic"))
        }
        replicated = {
            **internal_topics,
            "default.replication.factor": str(size),
            "min.insync.replicas": str(size - 1),
            "offsets.topic.replication.factor": str(size),
            "replica.lag.time.max.ms": "5000",
        }
        self.nodes = [
            Node(number, voters, {CLIENTS: Listener()}, {**replicated, **(config or {})}) for number in numbers
        ]
        self.replication_factor = size
        self._cluster_id = new_cluster_id()
        self.bootstrap_servers = ",".join(node.address() for node in self.nodes)

    def start(self) -> None:
        """Start the brokers that do not run and wait until clients can connect to each."""
        for node in self.nodes:
            node.launch(self._cluster_id)
        for node in self.nodes:
            node.wait_until_ready()

    def restart(self, node: Node) -> None:
        """Start a killed broker again and wait until clients can connect to it."""
        node.launch(self._cluster_id)
        node.wait_until_ready()

    def stop(self) -> None:
        """Stop all brokers and remove their data."""
        for node in self.nodes:
            node.remove()

    def kill(self) -> None:
        """Kill all brokers at once."""
        for node in self.nodes:
            node.kill()

    def suspend(self) -> None:
        """Suspend all brokers by SIGSTOP."""
        for node in self.nodes:
            node.send(signal.SIGSTOP)

    def wake(self) -> None:
        """Continue all brokers by SIGCONT."""
        for node in self.nodes:
            node.send(signal.SIGCONT)

    def close_proxy(self) -> None:
        """Raise RuntimeError: these brokers have no proxy."""
        raise RuntimeError("several brokers have no proxy: kill or suspend its brokers")

    open_proxy = close_proxy

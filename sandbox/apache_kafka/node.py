# SPDX-License-Identifier: GPL-3.0-or-later
"""One server of Apache Kafka, broker and controller in one process, with a folder of its own."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.apache_kafka.programs import jars, java
from sandbox.ports import HOST, accepts, free_port
from sandbox.processes import ChildProcess, ProcessFailedError

__all__ = ["CLIENTS", "Listener", "Node"]

#: The listener that every node has, without encryption and password.
CLIENTS = "CLIENTS"

_INTERNAL = "INTERNAL"
_CONTROLLER = "CONTROLLER"

# Small, quick to start, and quiet unless something is wrong.
_JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

_ONE_NODE = {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",  # a node that was killed may come back only after it
    "default.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": str(2 * 2**20),
    "log.retention.check.interval.ms": "1000",
    "message.max.bytes": str(16 * 2**20),  # the sandbox sends such as well
    "num.io.threads": "2",
    "num.network.threads": "2",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
}


@dataclass(frozen=True)
class Listener:
    """A further way in for clients.

    Args:
        protocol: as in KAFKA_SECURITY_PROTOCOL.
        config: properties of this listener alone, without their prefix.
        port: where it listens.
        advertised: the port that clients are told; the same where it is None.
    """

    protocol: str = "PLAINTEXT"
    config: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    advertised: int | None = None


class Node:
    """One server; what it stores lasts until `remove`.

    Args:
        number: its id.
        voters: the ports of the controllers of all servers, by their ids.
        listeners: the ways in, by their names.
        config: further properties of the server.
        format_options: what the storage is formatted with, beside the cluster's id.
    """

    def __init__(
        self,
        number: int,
        voters: Mapping[int, int],
        listeners: Mapping[str, Listener],
        config: Mapping[str, str],
        format_options: tuple[str, ...] = (),
    ) -> None:
        self.number = number
        self.listeners = dict(listeners)
        self._internal = free_port()
        self._properties = self._all_properties(voters, config)
        self._format_options = format_options
        self._folder: Path | None = None
        self._process: ChildProcess | None = None

    def address(self, listener: str = CLIENTS) -> str:
        """Where clients reach it by that listener."""
        found = self.listeners[listener]
        return f"{HOST}:{found.advertised or found.port}"

    def launch(self, cluster_id: str) -> None:
        """Start without waiting; does nothing where it runs."""
        if self._process is None:
            folder = self._formatted(cluster_id)
            command = _java("kafka.Kafka", folder / "server.properties")
            self._process = ChildProcess(command, folder / "log", folder=folder)

    def wait_until_up(self, timeout: float = 60.0) -> None:
        """Wait until it lets clients in; raises ProcessFailedError if it does not in time."""
        if self._process is not None:
            ports = [listener.port for listener in self.listeners.values()]
            self._process.wait_until(lambda: all(map(accepts, ports)), timeout)

    def _formatted(self, cluster_id: str) -> Path:
        if self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix=f"sandbox-kafka-{self.number}-"))
            lines = {**self._properties, "log.dirs": str(folder / "data")}
            properties = folder / "server.properties"
            properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), "utf-8")
            self._format(folder / "format.log", cluster_id, properties)
            self._folder = folder
        return self._folder

    def _format(self, log: Path, cluster_id: str, properties: Path) -> None:
        options = [f"--cluster-id={cluster_id}", f"--config={properties}", *self._format_options]
        with log.open("wb") as output:
            done = subprocess.run(
                _java("kafka.tools.StorageTool", "format", *options),
                check=False,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            raise ProcessFailedError(f"Kafka's storage could not be formatted: status {done.returncode}", log)

    def _all_properties(self, voters: Mapping[int, int], config: Mapping[str, str]) -> dict[str, str]:
        inside = {_INTERNAL: Listener(port=self._internal), _CONTROLLER: Listener(port=voters[self.number])}
        every = {**self.listeners, **inside}
        return {
            **_ONE_NODE,
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "controller.quorum.voters": ",".join(f"{number}@{HOST}:{port}" for number, port in voters.items()),
            "controller.listener.names": _CONTROLLER,
            "inter.broker.listener.name": _INTERNAL,
            "listeners": _list(f"{name}://{HOST}:{each.port}" for name, each in every.items()),
            "advertised.listeners": _list(
                f"{name}://{HOST}:{each.advertised or each.port}" for name, each in every.items() if name != _CONTROLLER
            ),
            "listener.security.protocol.map": _list(f"{name}:{each.protocol}" for name, each in every.items()),
            **{
                f"listener.name.{name.lower()}.{key}": value
                for name, each in every.items()
                for key, value in each.config.items()
            },
            **config,
        }

    def kill(self) -> None:
        """End it as a crash does; what it has stored stays."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; does nothing where it does not run."""
        if self._process is not None:
            self._process.send(number)

    def remove(self) -> None:
        """End it and remove what it has stored."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None


def _java(*words: str | Path) -> list[str | Path]:
    return [java(), *_JVM, "-cp", f"{jars()}/*", *words]


def _list(items: Iterable[str]) -> str:
    return ",".join(items)

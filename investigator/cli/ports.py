# SPDX-License-Identifier: GPL-3.0-or-later
"""The port through which the commands reach Kafka, so that they need no worker."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.kafka.dead_letter_store import DeadLetterStore
from investigator.observability.redaction import Redactor


class Operations(Protocol):
    """The halts and dead letters of one consumer group, as the settings of its workers define them."""

    @property
    def redactor(self) -> Redactor:
        """The redactor that removes passwords from printed texts."""

    @property
    def group(self) -> str:
        """The consumer group."""

    @property
    def servers(self) -> str:
        """The addresses of the brokers, for error texts."""

    @property
    def topics(self) -> dict[str, str]:
        """The full name of each topic by its base name."""

    @property
    def operator(self) -> str:
        """The name of the operator where the command line gives none."""

    @property
    def proves_replays(self) -> bool:
        """Whether workers with the same settings recognize replays."""

    @property
    def secret_fields(self) -> frozenset[str]:
        """The names of the message fields that hold passwords."""

    def halt_coordinator(self) -> AbstractAsyncContextManager[HaltCoordinator]:
        """Open the halts of the group, with the whole halt log read.

        Raises:
            KafkaError: the broker does not answer.
        """

    def dead_letters(self, *, to_replay: bool = False) -> AbstractAsyncContextManager[DeadLetterStore]:
        """Open the dead letters; creates the topic of the replay log only if `to_replay` is set."""

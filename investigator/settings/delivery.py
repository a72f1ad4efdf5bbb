# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the delivery of messages: modes, concurrency, retries, halts and dead letters."""

from investigator.settings.base import SettingsGroup
from investigator.settings.modes import Mode
from investigator.settings.types import (
    Flag,
    Modes,
    NonNegativeSeconds,
    NumberOrNames,
    PositiveInt,
    Ratio,
    Seconds,
    SecretKey,
)


class DeliverySettings(SettingsGroup):
    """Handling of messages."""

    thoth_consumer_mode: Modes = (Mode.MIDDLETIER, Mode.BACKEND)
    """The modes of the worker. The handlers of a message run in the order of this list."""

    thoth_consumer_workers: PositiveInt = 20
    """Concurrency: how many messages one worker handles at once. Handlers mostly wait for the cluster's API, which
    takes about 20 ms per call: 20 messages at once already make about 1,000 calls a second, and more would only queue
    there."""

    thoth_investigator_max_retries: PositiveInt = 5
    """How many times the worker tries a message in all; after the last failed attempt its retries are exhausted."""

    thoth_investigator_backoff: NonNegativeSeconds = 0.5
    """After failed attempt i the worker waits i times this value before the next attempt."""

    thoth_investigator_ack_on_fail: NumberOrNames = 0
    """What the worker does with a message that failed permanently or exhausted its retries. 0: halt its topic until an
    operator resumes it. 1, or a list with the topic's base name: write the message to the dead-letter topic and
    continue with the next one."""

    thoth_investigator_dead_letter_max_consecutive: PositiveInt = 1000
    """After this number of dead letters in a row the next failed message halts its topic, although failures of the
    topic become dead letters: that looks like a fault of the deployment, not of the messages."""

    thoth_investigator_dead_letter_max_ratio: Ratio = 0.95
    """If this ratio of the last messages of a topic became dead letters, the next failed message halts the topic, for
    the same reason."""

    thoth_investigator_dead_letter_window: PositiveInt = 1000
    """How many of the last messages of a topic that ratio covers; with fewer messages the ratio does not apply."""

    thoth_investigator_replay_key: SecretKey | None = None
    """The key by which workers recognize replays of dead letters. All workers of the deployment, and the command
    `dead-letters replay`, need the same one. Unset: workers handle replays as new messages, with a warning."""

    thoth_investigator_shutdown_timeout: Seconds = 10
    """How long messages in flight may take to finish after SIGTERM. The rest is redelivered after the restart. Must be
    lower than the pod's terminationGracePeriodSeconds."""

    thoth_investigator_schedule_solver: Flag = True
    """Whether the worker schedules solver workflows."""

    thoth_investigator_max_versions: PositiveInt = 100
    """For how many versions of a package one unresolved-package message schedules solvers. The worker takes the latest
    ones that the message selects, and logs and counts the others. Each version needs one workflow per solver, and
    advisers seldom recommend old versions. A message with a range of versions reaches those."""

    thoth_investigator_schedule_revsolver: Flag = True
    """Whether the worker schedules reverse solver workflows."""

    thoth_investigator_schedule_security: Flag = True
    """Whether the worker schedules security-indicator workflows."""

    thoth_investigator_kebechet_administrator: Flag = True
    """Whether the worker schedules kebechet-administrator workflows."""

    @property
    def only_counts(self) -> bool:
        """Whether the worker is in metrics mode alone, whose handlers only write metrics."""
        return set(self.thoth_consumer_mode) == {Mode.METRICS}

    def acks_on_fail(self, base_name: str) -> bool:
        """Return whether a failed message of this type becomes a dead letter; otherwise it halts its topic."""
        setting = self.thoth_investigator_ack_on_fail
        return base_name in setting if isinstance(setting, tuple) else setting > 0

    def unknown_ack_on_fail(self, known: frozenset[str] | set[str]) -> list[str]:
        """Return the names in THOTH_INVESTIGATOR_ACK_ON_FAIL that are not among the known base names."""
        setting = self.thoth_investigator_ack_on_fail
        return [name for name in setting if name not in known] if isinstance(setting, tuple) else []

# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of what happens to a message."""

from investigator.settings.base import SettingsGroup
from investigator.settings.modes import Mode
from investigator.settings.types import Flag, Modes, NonNegativeSeconds, NumberOrNames, PositiveInt, Ratio, Seconds


class DeliverySettings(SettingsGroup):
    """Handling of messages."""

    thoth_consumer_mode: Modes = (Mode.MIDDLETIER, Mode.BACKEND)
    """What the worker is there for. The handlers of a message run in the order of this list."""

    thoth_consumer_workers: PositiveInt = 20
    """How many messages are handled at once. Handlers mostly wait for the cluster's API, which takes some 20 ms a call:
    20 at once keep it busy with about a thousand calls a second, and more would only wait in its queue."""

    thoth_investigator_max_retries: PositiveInt = 5
    """Attempts in all before a message is given up."""

    thoth_investigator_backoff: NonNegativeSeconds = 0.5
    """Before the attempt after attempt i the worker waits i times this."""

    thoth_investigator_ack_on_fail: NumberOrNames = 0
    """What happens to a message that was given up. 0: its topic is halted until somebody resumes it. 1, or its base
    name in the list: it is kept in the topic's dead-letter topic and the next one is taken up."""

    thoth_investigator_dead_letter_max_consecutive: PositiveInt = 1000
    """So many messages of a topic that are given up one after the other halt it, although its failures are to be kept:
    that looks like a fault of the deployment, not of messages."""

    thoth_investigator_dead_letter_max_ratio: Ratio = 0.95
    """So large a part of the last messages of a topic that was given up halts it for the same reason."""

    thoth_investigator_dead_letter_window: PositiveInt = 1000
    """How many messages that part is taken of."""

    thoth_investigator_shutdown_timeout: Seconds = 10
    """How long the messages in hand may take to finish after SIGTERM; what is not finished then comes again after the
    restart. Has to be below the pod's terminationGracePeriodSeconds."""

    thoth_investigator_schedule_solver: Flag = True
    """Whether solver workflows are scheduled."""

    thoth_investigator_schedule_revsolver: Flag = True
    """Whether reverse solver workflows are scheduled."""

    thoth_investigator_schedule_security: Flag = True
    """Whether security-indicator workflows are scheduled."""

    thoth_investigator_kebechet_administrator: Flag = True
    """Whether kebechet-administrator workflows are scheduled."""

    def acks_on_fail(self, base_name: str) -> bool:
        """Tell whether a message of this type that was given up is kept as a dead letter (or else halts its topic)."""
        policy = self.thoth_investigator_ack_on_fail
        return base_name in policy if isinstance(policy, tuple) else policy > 0

    def unknown_ack_on_fail(self, known: frozenset[str] | set[str]) -> list[str]:
        """Give the names in THOTH_INVESTIGATOR_ACK_ON_FAIL that no message type has."""
        policy = self.thoth_investigator_ack_on_fail
        return [name for name in policy if name not in known] if isinstance(policy, tuple) else []

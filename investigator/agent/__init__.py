# SPDX-License-Identifier: GPL-3.0-or-later
"""The API for authors of message types: the decorator, the base class of records, and the services for handlers."""

from investigator.agent.context import Work
from investigator.agent.decorator import MESSAGE_TYPES, Handler, MessageType, agent
from investigator.agent.message import Message, SecretStr, Text, Unused
from investigator.delivery.errors import PermanentError, TemporaryError
from investigator.settings.modes import Mode
from investigator.settings.secrets import secret_value

__all__ = [
    "MESSAGE_TYPES",
    "Handler",
    "Message",
    "MessageType",
    "Mode",
    "PermanentError",
    "SecretStr",
    "TemporaryError",
    "Text",
    "Unused",
    "Work",
    "agent",
    "secret_value",
]

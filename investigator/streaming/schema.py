# SPDX-License-Identifier: GPL-3.0-or-later
"""How the value of each message is read: as a record, or as the error that says why it is none."""

from collections.abc import Callable
from typing import Any

import faust
from faust.types import AppT
from faust.types import Message as KafkaMessage

from investigator.agent import Message, MessageType
from investigator.delivery.errors import PermanentError


class ErrorHandlingSchema(faust.Schema[Any, Any]):
    """Reads each value as the record of the message type, or as the error that says why it is none.

    Faust drops and acknowledges a message whose value can't be decoded; so nothing may be raised here, and a malformed
    message goes the way of any other one that fails.

    Args:
        message_type: what the topic holds.
        learn_secrets: told of each record, to keep the passwords in it out of logs and errors.
    """

    def __init__(self, message_type: MessageType, learn_secrets: Callable[[object], None]) -> None:
        super().__init__(key_type=bytes, value_type=message_type.record)
        self._message_type = message_type
        self._learn_secrets = learn_secrets

    def loads_key(self, app: AppT, message: KafkaMessage, **options: object) -> bytes | None:
        """Give the key as it is."""
        del app, options
        return message.key

    def loads_value(self, app: AppT, message: KafkaMessage, **options: object) -> Message | PermanentError:
        """Give the record, or why the value is none."""
        del app, options
        try:
            record = self._message_type.parse(message.value)
            self._learn_secrets(record)
        except PermanentError as error:
            return error
        except Exception as error:  # noqa: BLE001  an error that nobody foresaw is no reason to lose the message
            unforeseen = PermanentError(f"the value could not be read: {type(error).__name__}")
            unforeseen.__cause__ = error
            return unforeseen
        return record

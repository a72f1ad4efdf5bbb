# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a topic: it deserializes a value to a record, or to the error that says why it is none."""

from collections.abc import Callable
from typing import Any

import faust
from faust.types import AppT
from faust.types import Message as KafkaMessage

from investigator.agent import Message, MessageType
from investigator.delivery.errors import PermanentError


class ErrorHandlingSchema(faust.Schema[Any, Any]):
    """Deserializes each value to the record of the message type, or to the error that says why it is none.

    Faust drops and acknowledges a message whose value cannot be decoded. So this schema never raises, and a malformed
    message fails as any other one does.

    Args:
        message_type: the type of the topic's messages.
        learn_secrets: called with each record, to keep the passwords in it out of logs and errors.
    """

    def __init__(self, message_type: MessageType, learn_secrets: Callable[[object], None]) -> None:
        super().__init__(key_type=bytes, value_type=message_type.record)
        self._message_type = message_type
        self._learn_secrets = learn_secrets

    def loads_key(self, app: AppT, message: KafkaMessage, **options: object) -> bytes | None:
        """Return the key unchanged."""
        del app, options
        return message.key

    def loads_value(self, app: AppT, message: KafkaMessage, **options: object) -> Message | PermanentError:
        """Return the record, or the error that says why the value is none."""
        del app, options
        try:
            record = self._message_type.parse(message.value)
            self._learn_secrets(record)
        except PermanentError as error:
            return error
        except Exception as error:  # noqa: BLE001  an unforeseen error is no reason to lose the message
            unforeseen = PermanentError(f"the value could not be read: {type(error).__name__}")
            unforeseen.__cause__ = error
            return unforeseen
        return record

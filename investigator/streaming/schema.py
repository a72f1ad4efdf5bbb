# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a topic: it leaves every value as it is, so that Faust never decodes one."""

from typing import Any

import faust
from faust.types import AppT
from faust.types import Message as KafkaMessage


class RawSchema(faust.Schema[Any, Any]):
    """Returns key and value unchanged; the steps of the delivery parse the value.

    Faust drops and acknowledges a message whose value it can't decode. And it decodes in the one loop that feeds all
    topics, where a large value would delay every other message and the web server.
    """

    def __init__(self) -> None:
        super().__init__(key_type=bytes, value_type=bytes)

    def loads_key(self, app: AppT, message: KafkaMessage, **options: object) -> bytes | None:
        """Return the key unchanged."""
        del app, options
        return message.key

    def loads_value(self, app: AppT, message: KafkaMessage, **options: object) -> bytes | None:
        """Return the value unchanged."""
        del app, options
        return message.value

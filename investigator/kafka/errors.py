# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that the clients of this package raise, for callers that import nothing else of aiokafka."""

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

__all__ = ["KafkaConnectionError", "KafkaError", "KafkaTimeoutError"]

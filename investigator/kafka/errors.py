# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that the clients of this package raise, for callers that must not import aiokafka."""

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

__all__ = ["KafkaConnectionError", "KafkaError", "KafkaTimeoutError"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A warning if a topic no longer holds the offset at which the group continues, so that messages may be lost.

aiokafka resets the offset and only logs that at INFO, without the consequence or the remedy; it has no hook for it (the
line is quoted in https://github.com/aio-libs/aiokafka/issues/718). This patch is a filter on its logger, which
recognizes the line by its text.
"""

import logging
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

_LOGGER = logging.getLogger("aiokafka.consumer.fetcher")
_AIOKAFKA_LINE = "Fetch offset %s is out of range"
_WARNING = (
    "Committed offset is gone: retention deleted unprocessed messages, or the topic was recreated "
    "topic=%s partition=%d offset=%d KAFKA_CONSUMER_AUTO_OFFSET_RESET=%s"
)


class _Warn(logging.Filter):
    def __init__(self, reset: str) -> None:
        super().__init__()
        self._reset = reset

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(_AIOKAFKA_LINE) and isinstance(record.args, tuple):
            offset, partition = record.args
            record.msg, record.args = _WARNING, (*cast("TopicPartition", partition), offset, self._reset)
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True


def warn_on_offset_out_of_range(reset: str) -> None:
    """Warn from now on.

    Args:
        reset: the value of KAFKA_CONSUMER_AUTO_OFFSET_RESET, for the text.
    """
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.filters[:] = [_Warn(reset)]

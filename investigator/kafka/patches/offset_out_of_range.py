# SPDX-License-Identifier: GPL-3.0-or-later
"""A warning where a topic no longer holds the offset at which the group was to go on.

Messages may have been lost then, which aiokafka mentions in passing, as information, and tells nobody otherwise.
"""

import logging
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

_LOGGER = logging.getLogger("aiokafka.consumer.fetcher")
_MENTION = "Fetch offset %s is out of range"
_WARNING = (
    "%s partition %s does not hold offset %s any more: what was there and not handled yet is lost to retention, or the "
    "topic was made anew; going on where KAFKA_CONSUMER_AUTO_OFFSET_RESET=%s says"
)


class _Warn(logging.Filter):
    def __init__(self, reset: str) -> None:
        super().__init__()
        self._reset = reset

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(_MENTION) and isinstance(record.args, tuple):
            offset, place = record.args
            record.msg, record.args = _WARNING, (*cast("TopicPartition", place), offset, self._reset)
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True


def warn_on_offset_out_of_range(reset: str) -> None:
    """Warn from now on; `reset` is the setting that says where to go on."""
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.filters[:] = [_Warn(reset)]

# SPDX-License-Identifier: GPL-3.0-or-later
import json
from collections.abc import AsyncGenerator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from investigator.kafka.producer import DurableProducer
from investigator.kafka.replay_log import ReplayLog
from investigator.kafka.topic_reader import OffsetRange, TopicReader


class FakeReader(TopicReader):
    """Yields one record, and notes whether its consumer would be closed."""

    def __init__(self, value: bytes | None, error: KafkaError | None = None) -> None:
        super().__init__({})
        self._error = error
        self.is_open = False
        self._value = value

    async def topics(self) -> dict[str, frozenset[int]]:
        """Return the log's topic."""
        return {"replays": frozenset({0})}

    async def read(self, topic: str, ranges: Mapping[int, OffsetRange]) -> AsyncGenerator[Any, None]:
        """Yield the record."""
        self.is_open = True
        try:
            key = b"topic-dlt/0/7/1000"
            yield SimpleNamespace(topic=topic, partition=min(ranges), offset=3, key=key, value=self._value)
            if self._error is not None:
                raise self._error
        finally:
            self.is_open = False


def _log(reader: TopicReader) -> ReplayLog:
    return ReplayLog("replays", reader, DurableProducer({}, idempotent=False, max_message_bytes=1000))


async def test_a_replay_is_found_by_the_position_of_its_dead_letter() -> None:
    """The timestamp tells a dead letter from one of a topic that was deleted and recreated."""
    value = {"at": 1.5, "by": "operator", "partition": 2, "offset": 9}
    reader = FakeReader(json.dumps(value).encode())
    [(position, replayed)] = (await _log(reader).replayed()).items()
    assert (position.topic, position.partition, position.offset, position.timestamp_ms) == ("topic-dlt", 0, 7, 1000)
    assert (replayed.at, replayed.by, replayed.partition, replayed.offset) == (1.5, "operator", 2, 9)


@pytest.mark.parametrize("value", [b"not JSON", None, b"[" * 100_000])
async def test_an_invalid_record_is_passed_over(value: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    """The commands about dead letters go on, and say which record it is."""
    assert await _log(FakeReader(value)).replayed() == {}
    assert "Passed over an invalid record of the replay log offset=3" in caplog.text
    assert "JSON" not in caplog.text


async def test_a_failed_read_leaves_no_consumer_open() -> None:
    """Reading ends in the middle then, where the generator would keep its consumer until it is collected."""
    reader = FakeReader(b"{}", error=KafkaError("gone"))
    with pytest.raises(KafkaError):
        await _log(reader).replayed()
    assert not reader.is_open

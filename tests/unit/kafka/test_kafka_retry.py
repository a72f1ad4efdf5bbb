# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaError, NodeNotReadyError, TopicAuthorizationFailedError

from investigator.kafka.retry import retry_while_retriable
from tests.support.virtual_time import in_virtual_time


class Brokers:
    """Answer after these errors."""

    def __init__(self, errors: Iterator[KafkaError]) -> None:
        self._errors = errors
        self.asked = 0

    async def answer(self) -> str:
        """Take one request."""
        self.asked += 1
        for error in self._errors:
            raise error
        return "answer"


@in_virtual_time
async def test_a_broker_that_is_away_is_no_reason_to_give_up() -> None:
    """Another one answers once the brokers have noticed, which takes them some seconds."""
    brokers = Brokers(iter([NodeNotReadyError()] * 40))
    assert await retry_while_retriable(brokers.answer) == "answer"
    assert brokers.asked == 41


@in_virtual_time
async def test_a_refusal_is_final() -> None:
    """What a broker refuses it refuses again: whoever asked is told at once."""
    brokers = Brokers(iter([TopicAuthorizationFailedError()]))
    with pytest.raises(TopicAuthorizationFailedError):
        await retry_while_retriable(brokers.answer)
    assert brokers.asked == 1


@in_virtual_time
async def test_brokers_that_stay_away_are_given_up_with_the_last_reason() -> None:
    """In time for the check before the start, which gives up after 15 s, to tell the reason."""
    brokers = Brokers(iter(NodeNotReadyError, None))
    with pytest.raises(NodeNotReadyError):
        await asyncio.wait_for(retry_while_retriable(brokers.answer), 15)

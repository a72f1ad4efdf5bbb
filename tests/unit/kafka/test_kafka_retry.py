# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaError, NodeNotReadyError, TopicAuthorizationFailedError

from investigator.kafka.retry import retry_while_retriable
from tests.support.virtual_time import in_virtual_time


class Brokers:
    """Brokers that answer after these errors."""

    def __init__(self, errors: Iterator[KafkaError]) -> None:
        self._errors = errors
        self.requests = 0

    async def answer(self) -> str:
        """Receive one request."""
        self.requests += 1
        for error in self._errors:
            raise error
        return "answer"


@in_virtual_time
async def test_requests_are_repeated_while_a_broker_is_unavailable() -> None:
    """Another broker answers once the cluster has noticed, which takes some seconds."""
    brokers = Brokers(iter([NodeNotReadyError()] * 40))
    assert await retry_while_retriable(brokers.answer) == "answer"
    assert brokers.requests == 41


@in_virtual_time
async def test_a_refusal_is_final() -> None:
    """A broker would refuse the request again, so the caller gets the error at once."""
    brokers = Brokers(iter([TopicAuthorizationFailedError()]))
    with pytest.raises(TopicAuthorizationFailedError):
        await retry_while_retriable(brokers.answer)
    assert brokers.requests == 1


@in_virtual_time
async def test_the_last_error_is_raised_when_brokers_stay_unavailable() -> None:
    """Before the preflight check times out, after 15 s, so that it can report the reason."""
    brokers = Brokers(iter(NodeNotReadyError, None))
    with pytest.raises(NodeNotReadyError):
        await asyncio.wait_for(retry_while_retriable(brokers.answer), 15)

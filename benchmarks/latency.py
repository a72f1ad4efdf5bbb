# SPDX-License-Identifier: GPL-3.0-or-later
"""The time from a message to its workflow while there is nothing else to do."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.measuring import Ratio, Result, percentile
from benchmarks.place import UNREVSOLVED, Place, Stage, released
from benchmarks.throughput import LATENCY
from sandbox.kafka_client import KafkaClient

__all__ = ["at_rest"]

_WARM_UP = 5  # the first messages open connections and fetch the template


def at_rest(place: Place, *, messages: int) -> list[Result]:
    """Send single messages, each of which asks for one workflow, and compare with the time of the API's requests."""
    place.api.reset(LATENCY)
    with place.stage(base_name=UNREVSOLVED) as stage:
        stage.fill(_WARM_UP)
        with stage.worker():
            place.api.wait_for(_WARM_UP)
            sent, seen = asyncio.run(_send(stage, place, messages))
    created = sorted(workflow["created"] for workflow in place.api.workflows())[_WARM_UP:]
    whole = [1000 * (at - since) for since, at in zip(sent, created, strict=True)]
    broker = [1000 * (at - since) for since, at in zip(sent, seen, strict=True)]
    return _results(whole, broker, _api_times(place, messages))


async def _send(stage: Stage, place: Place, messages: int) -> tuple[list[float], list[float]]:
    """Give when each message was sent, and when a bare consumer had it."""
    sent, seen = [], []
    async with KafkaClient(stage.sandbox.broker.bootstrap_servers) as client, _end_of(stage) as consumer:
        for number in range(messages):
            await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - so as not to be in step with anything
            sent.append(time.time())
            sending = asyncio.create_task(client.send(stage.topic, released(_WARM_UP + number)))
            await consumer.getone()
            seen.append(time.time())
            await sending
            await asyncio.to_thread(place.api.wait_for, _WARM_UP + number + 1)
    return sent, seen


@asynccontextmanager
async def _end_of(stage: Stage) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.sandbox.broker.bootstrap_servers)
    await consumer.start()
    partition = TopicPartition(stage.topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, _WARM_UP)
    try:
        yield consumer
    finally:
        await consumer.stop()


def _api_times(place: Place, messages: int) -> list[float]:
    """Give the milliseconds that the API took for both requests of each of the last workflows."""
    posts = [request for request in place.api.requests() if request["method"] == "POST"][-2 * messages :]
    pairs = zip(posts[::2], posts[1::2], strict=True)
    return [1000 * (process["seconds"] + create["seconds"]) for process, create in pairs]


def _results(whole: list[float], broker: list[float], api: list[float]) -> list[Result]:
    details: dict[str, object] = {"messages": len(whole)}
    for name, times in (("from message to workflow", whole), ("to a bare consumer", broker), ("the API's own", api)):
        for share in (0.5, 0.99):
            details[f"{name}: p{100 * share:g} in ms"] = round(percentile(times, share), 1)
    beyond = [percentile(whole, share) - percentile(api, share) for share in (0.5, 0.99)]
    return [
        Result(
            "From message to workflow at rest, beyond the API's own time, p50", beyond[0], "ms", Ratio(most=10), details
        ),
        Result("The same, p99", beyond[1], "ms"),
    ]

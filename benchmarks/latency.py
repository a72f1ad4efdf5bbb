# SPDX-License-Identifier: GPL-3.0-or-later
"""The time from a message to its workflow while there is nothing else to do."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.environment import UNREVSOLVED, BenchmarkEnvironment, BenchmarkStage, released
from benchmarks.measuring import Ratio, Result, percentile
from benchmarks.throughput import LATENCY
from investigator.argo.client import ClusterClient
from investigator.argo.labels import trace_metadata
from investigator.delivery.origin import Origin
from investigator.services import build_cluster
from investigator.settings import load_settings
from sandbox.kafka_client import KafkaClient

__all__ = ["at_rest"]

_BY_HAND = "by-hand-"
_WARM_UP = 5  # the first messages open connections and fetch the template


class _Times(NamedTuple):
    sent: list[float]  # when each message was sent
    seen: list[float]  # when a bare consumer had it
    own: list[float]  # milliseconds for the same requests without a message


def at_rest(environment: BenchmarkEnvironment, *, messages: int) -> list[Result]:
    """Send single messages, each of which asks for one workflow, and compare with the same requests made by hand."""
    environment.api.reset(LATENCY)
    with environment.stage(base_name=UNREVSOLVED) as stage:
        stage.fill(_WARM_UP)
        with stage.worker():
            environment.api.wait_for(_WARM_UP)
            times = asyncio.run(_send(stage, environment, messages))
    created = [each["created"] for each in environment.api.workflows() if not each["name"].startswith(_BY_HAND)]
    whole = [1000 * (at - since) for since, at in zip(times.sent, sorted(created)[_WARM_UP:], strict=True)]
    broker = [1000 * (at - since) for since, at in zip(times.sent, times.seen, strict=True)]
    return _results(whole, broker, times.own)


async def _send(stage: BenchmarkStage, environment: BenchmarkEnvironment, messages: int) -> _Times:
    sent, seen, own = [], [], []
    os.environ.update(environment.api.cluster.environment(stage.sandbox.deployment))  # thoth-common looks there
    cluster = build_cluster(load_settings(stage.sandbox.env()))
    _by_hand(cluster, -1)  # opens the connection and fetches the template
    async with KafkaClient(stage.sandbox.broker.bootstrap_servers) as client, _end_of(stage) as consumer:
        for number in range(messages):
            await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - so as not to be in step with anything
            sent.append(time.time())
            sending = asyncio.create_task(client.send(stage.topic, released(_WARM_UP + number)))
            await consumer.getone()
            seen.append(time.time())
            await sending
            await asyncio.to_thread(environment.api.wait_for, _WARM_UP + 1 + 2 * number + 1)
            own.append(await asyncio.to_thread(_by_hand, cluster, number))
    return _Times(sent, seen, own)


def _by_hand(cluster: ClusterClient, number: int) -> float:
    """Schedule a workflow like that of a message, without any; gives the milliseconds that it took."""
    began = time.perf_counter()
    name = {"package_name": "by-hand", "package_version": "1.0", "job_id": f"{_BY_HAND}{number}"}
    cluster.create(
        cluster.prepare("schedule_revsolver", name), trace_metadata(UNREVSOLVED, Origin("by-hand", 0, number, 0))
    )
    return 1000 * (time.perf_counter() - began)


@asynccontextmanager
async def _end_of(stage: BenchmarkStage) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.sandbox.broker.bootstrap_servers)
    await consumer.start()
    partition = TopicPartition(stage.topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, _WARM_UP)
    try:
        yield consumer
    finally:
        await consumer.stop()


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

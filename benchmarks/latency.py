# SPDX-License-Identifier: GPL-3.0-or-later
"""The time from a message to its workflow on an idle topic."""

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

__all__ = ["idle_latency"]

_DIRECT = "direct-"
_WARM_UP = 5  # the first messages open connections and fetch the template


class _Times(NamedTuple):
    sent: list[float]  # time at which each message was sent, in seconds since the epoch
    received: list[float]  # time at which a bare consumer received it
    direct: list[float]  # milliseconds of the same API requests without a message


def idle_latency(environment: BenchmarkEnvironment, *, messages: int) -> list[Result]:
    """Send single messages, one workflow each, and compare with the same API requests made directly."""
    environment.api.reset(LATENCY)
    with environment.stage(base_name=UNREVSOLVED) as stage:
        stage.fill(_WARM_UP)
        with stage.worker():
            environment.api.wait_for(_WARM_UP)
            times = asyncio.run(_send(stage, environment, messages))
    created = [each["created"] for each in environment.api.workflows() if not each["name"].startswith(_DIRECT)]
    total = [1000 * (end - start) for start, end in zip(times.sent, sorted(created)[_WARM_UP:], strict=True)]
    broker = [1000 * (end - start) for start, end in zip(times.sent, times.received, strict=True)]
    return _results(total, broker, times.direct)


async def _send(stage: BenchmarkStage, environment: BenchmarkEnvironment, messages: int) -> _Times:
    sent, received, direct = [], [], []
    os.environ.update(
        environment.api.cluster.environment(stage.sandbox.deployment)
    )  # thoth-common reads these variables
    cluster = build_cluster(load_settings(stage.sandbox.env()))
    _create_directly(cluster, -1)  # opens the connection and fetches the template
    async with KafkaClient(stage.sandbox.broker.bootstrap_servers) as client, _consumer_at_end(stage) as consumer:
        for number in range(messages):
            await asyncio.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - no fixed phase against the poll intervals
            sent.append(time.time())
            sending = asyncio.create_task(client.send(stage.topic, released(_WARM_UP + number)))
            await consumer.getone()
            received.append(time.time())
            await sending
            await asyncio.to_thread(environment.api.wait_for, _WARM_UP + 1 + 2 * number + 1)
            direct.append(await asyncio.to_thread(_create_directly, cluster, number))
    return _Times(sent, received, direct)


def _create_directly(cluster: ClusterClient, number: int) -> float:
    """Create a workflow like that of a message, but without one; return the milliseconds that the requests took."""
    started = time.perf_counter()
    arguments = {"package_name": "direct", "package_version": "1.0", "job_id": f"{_DIRECT}{number}"}
    cluster.create(
        cluster.prepare("schedule_revsolver", arguments), trace_metadata(UNREVSOLVED, Origin("direct", 0, number, 0))
    )
    return 1000 * (time.perf_counter() - started)


@asynccontextmanager
async def _consumer_at_end(stage: BenchmarkStage) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.sandbox.broker.bootstrap_servers)
    await consumer.start()
    partition = TopicPartition(stage.topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, _WARM_UP)
    try:
        yield consumer
    finally:
        await consumer.stop()


def _results(total: list[float], broker: list[float], api: list[float]) -> list[Result]:
    details: dict[str, object] = {"messages": len(total)}
    for name, times in (("from message to workflow", total), ("to a bare consumer", broker), ("the API's own", api)):
        for share in (0.5, 0.99):
            details[f"{name}: p{100 * share:g} in ms"] = round(percentile(times, share), 1)
    beyond = [percentile(total, share) - percentile(api, share) for share in (0.5, 0.99)]
    return [
        Result(
            "From message to workflow on an idle topic, beyond the API's own time, p50",
            beyond[0],
            "ms",
            Ratio(most=10),
            details,
        ),
        Result("The same, p99", beyond[1], "ms"),
    ]

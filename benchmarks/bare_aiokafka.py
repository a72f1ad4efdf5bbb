# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that a consumer can do: `python -m benchmarks.bare_aiokafka` reads each message as JSON and counts it."""

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer

from benchmarks.counter import NAME, Counter


async def _consume() -> None:
    counter = Counter(os.environ[NAME + "COUNTER"])
    consumer = AIOKafkaConsumer(
        os.environ[NAME + "TOPIC"],
        bootstrap_servers=os.environ[NAME + "BROKER"],
        group_id=os.environ[NAME + "GROUP"],
        auto_offset_reset="earliest",
        session_timeout_ms=6000,
        heartbeat_interval_ms=1500,
    )
    await consumer.start()
    async for record in consumer:
        json.loads(record.value)
        counter.add()


if __name__ == "__main__":
    asyncio.run(_consume())

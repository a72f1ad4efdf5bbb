# SPDX-License-Identifier: GPL-3.0-or-later
"""A minimal aiokafka consumer: `python -m benchmarks.bare_aiokafka` decodes each message as JSON and counts it."""

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer

from benchmarks.counter import PREFIX, Counter


async def _consume() -> None:
    counter = Counter(os.environ[PREFIX + "COUNTER"])
    consumer = AIOKafkaConsumer(
        os.environ[PREFIX + "TOPIC"],
        bootstrap_servers=os.environ[PREFIX + "BROKER"],
        group_id=os.environ[PREFIX + "GROUP"],
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

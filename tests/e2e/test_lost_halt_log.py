# SPDX-License-Identifier: GPL-3.0-or-later
"""The topic of the halt log: a worker ends when it is lost, and does not start when it would lose halts."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from tests.support.polling import wait_until
from tests.support.running_workers import running
from tests.support.worker_http import get_json


async def delete(broker: Broker, topic: str) -> None:
    """Delete a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


def test_a_worker_ends_when_the_halt_log_is_deleted_and_starts_again(sandbox: Sandbox, broker: Broker) -> None:
    """Its log names the topic; the next start creates it again."""
    worker = sandbox.worker(sandbox.env(("metrics",)))
    halts = sandbox.topic("thoth.investigator.halts")
    with running(worker):
        wait_until(lambda: get_json(worker, "/status")[1]["halts_synced"], "the worker has read the halt log")
        asyncio.run(delete(broker, halts))
        wait_until(lambda: worker.process.status is not None, "the worker has ended", 60)
        assert worker.wait() != 0
        assert "The topic of the halt log is lost; the worker ends" in worker.log_text()
        assert f"topic={halts}" in worker.log_text()
        worker.start()
        worker.wait_until_healthy()
        assert worker.stop() == 0


def test_a_worker_does_not_start_with_a_halt_log_that_deletes_records(sandbox: Sandbox, broker: Broker) -> None:
    """The message has the command that corrects the topic."""
    halts = sandbox.topic("thoth.investigator.halts")
    asyncio.run(broker.create_topics([halts], config={"cleanup.policy": "delete"}))
    worker = sandbox.worker(sandbox.env(("metrics",)))
    worker.start()
    assert worker.wait(120) == 1
    assert f"{halts} has cleanup.policy=delete" in worker.log_text()
    assert "--add-config cleanup.policy=compact" in worker.log_text()

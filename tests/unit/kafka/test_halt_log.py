# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import gc

import pytest

from investigator.delivery.halt_coordinator import HaltCoordinator
from investigator.kafka.halt_log import KafkaHaltLog
from investigator.kafka.producer import DurableProducer
from investigator.kafka.topic_reader import TopicReader
from sandbox.tcp_ports import HOST, free_port


async def test_an_outage_leaves_no_client_open(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The halt log makes a client each second while the broker is unavailable, and has to close every one.

    A client that is not closed warns when it is collected, and pytest makes an error of that.
    """
    monkeypatch.setattr("investigator.kafka.halt_log._RETRY_SECONDS", 0.05)
    options = {"bootstrap_servers": f"{HOST}:{free_port()}"}
    producer = DurableProducer(options, idempotent=False, max_message_bytes=1000)
    log = KafkaHaltLog("halts", "group", TopicReader(options), producer)
    log.feed(HaltCoordinator(log, "worker", lambda: 0.0))
    async with producer, log:
        while caplog.text.count("Could not read the halt log") < 2:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.05)
    caplog.clear()  # the log records hold the errors, and these the clients
    gc.collect()

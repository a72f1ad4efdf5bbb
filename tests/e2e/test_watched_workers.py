# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog, with a short limit, leaves a worker alone that has nothing to do or can't do anything now."""

import os
import signal
import time

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.worker_http import metric

LIMIT = 4
WATCHED_SECONDS = 3.0 * LIMIT
BACKLOG = 1500  # more than the buffer of a topic holds


@pytest.mark.timeout(240)
def test_a_worker_with_full_buffers_or_after_a_suspension_is_not_ended(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker
) -> None:
    """A halted topic has a backlog, and all others are idle; then the worker can't run for a while."""
    halted, other = sandbox.topic("thoth.package-extract-trigger"), Load(kafka, sandbox, "other", RUN_URL)
    kafka.create_topics(broker, [halted, other.topic])
    with sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_WATCHDOG_SECONDS=str(LIMIT))) as worker:
        kafka.send_all(halted, [message(environment_type=f"bad-{number}") for number in range(BACKLOG)])
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        time.sleep(WATCHED_SECONDS)
        worker.process.send(signal.SIGSTOP)
        time.sleep(2 * LIMIT)
        worker.process.send(signal.SIGCONT)
        other.send(20)
        other.wait_for_all()
        time.sleep(WATCHED_SECONDS)
        assert worker.process.status is None, worker.log_text()
        assert "Ending the worker" not in worker.log_text()
        assert worker.stop() == os.EX_OK

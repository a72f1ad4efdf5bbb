# SPDX-License-Identifier: GPL-3.0-or-later
"""A failing operation delays only the messages that need it, and these end with the true cause."""

import socket
from collections.abc import Iterator

import pytest

from sandbox.environment import Sandbox
from sandbox.worker import Worker
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.worker_http import Scrape

UNRESOLVED = "thoth.investigator.unresolved-package"
HALTED = "thoth_investigator_halted_topics"


@pytest.fixture(scope="module")
def dead_index(shared_sandbox: Sandbox) -> Iterator[str]:
    """The URL of a registered index that refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/simple"
        shared_sandbox.seed.index(url)
        yield url


@pytest.fixture(scope="module")
def worker(shared_sandbox: Sandbox) -> Iterator[Worker]:
    """A worker that waits 15 seconds for an operation whose failure is its own."""
    patience = {"THOTH_INVESTIGATOR_OUTAGE_PATIENCE": "15", "THOTH_INVESTIGATOR_MAX_RETRIES": "2"}
    with shared_sandbox.worker({**shared_sandbox.env(), **patience}) as running:
        yield running


def test_a_dead_index_delays_no_other_and_ends_its_messages(
    worker: Worker, shared_sandbox: Sandbox, kafka: BlockingKafka, dead_index: str
) -> None:
    """A hundred messages before them: those for the live index are handled at once; then the topic halts."""
    topic = shared_sandbox.topic(UNRESOLVED)
    name = {"package_name": "requests", "package_version": None}
    kafka.send_all(topic, [message({**name, "index_url": dead_index}) for _ in range(100)])
    kafka.send_all(topic, [message({**name, "index_url": shared_sandbox.index.index_url()}) for _ in range(20)])
    wait_until(lambda: len(shared_sandbox.cluster.created) >= 20, "the live index's messages have solvers", timeout=12)
    scrape = Scrape(worker)
    assert scrape.value("thoth_investigator_failures_total") == 0
    operation = f"ask {dead_index.split('/')[2]}"
    assert scrape.value("thoth_investigator_operation_waiting_calls", operation=operation) > 0

    wait_until(lambda: Scrape(worker).value(HALTED, base_topic_name=UNRESOLVED) == 1, "the topic halts", timeout=90)

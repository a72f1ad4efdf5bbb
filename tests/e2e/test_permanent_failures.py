# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that fail permanently: tried once, counted, and their topic is halted unless ACK_ON_FAIL is set."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from aiokafka.errors import KafkaError

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker
from tests.e2e.damaged import send_damaged, with_wrong_checksum, with_wrong_codec
from tests.e2e.forms import forms
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.repository_load import RUN_URL, Load
from tests.support.running_workers import SHORT_SESSION, empty_sandbox, running
from tests.support.worker_http import Scrape, get, metric

FORMS = forms("https://example.com/simple", frozenset())
UNRESOLVED = "thoth.investigator.unresolved-package"


@dataclass(frozen=True)
class Refused:
    """A worker that has received a message of an unknown version of each type, and its metrics afterwards."""

    sandbox: Sandbox
    worker: Worker
    scrape: Scrape


@pytest.fixture(scope="module")
def refused(
    broker: Broker, postgres: PostgresServer, kafka: BlockingKafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Refused]:
    """A worker in all modes, all of whose topics are halted."""
    modes = ("middletier", "backend", "metrics")
    folder = tmp_path_factory.mktemp("refused")
    with empty_sandbox(broker, postgres, folder) as sandbox, sandbox.worker(sandbox.env(modes)) as worker:
        for base_name, form in FORMS.items():
            kafka.send(sandbox.topic(base_name), message(form.required(), **form.optional, version="v99"))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == len(FORMS), "all topics are halted")
        yield Refused(sandbox, worker, Scrape(worker))


@pytest.mark.parametrize("base_name", FORMS)
def test_an_unknown_version_is_tried_once_counted_and_halts_its_topic(refused: Refused, base_name: str) -> None:
    """The worker does not guess the meaning of a newer version; metrics with the contract's names show the operator."""
    label = base_name.rsplit(".", 1)[-1].replace("-", "_")
    scrape = refused.scrape

    missing = scrape.value("thoth_investigator_missing_handler", base_topic_name=base_name, message_version="v99")
    assert missing == 1
    assert scrape.value("thoth_investigator_halted_topics", base_topic_name=base_name) == 1
    assert scrape.value("thoth_investigator_exceptions_total", message_type=label) == 1
    assert scrape.value("thoth_investigator_failures_total", message_type=label) == 1
    assert scrape.value("thoth_investigator_processed_total", message_type=label) == 0


def test_an_unknown_version_leads_to_no_workflow(refused: Refused) -> None:
    """The worker creates no workflow for any of the types."""
    assert [*refused.sandbox.cluster.created] == []


def test_a_message_about_an_unregistered_index_is_tried_once_and_halts_its_topic(
    refused: Refused, kafka: BlockingKafka
) -> None:
    """A later attempt would not find the index in the graph either; no workflow is created."""
    fields = {"package_name": "flask", "package_version": "2.1.2", "index_url": "https://example.com/simple"}
    _, answer = get(refused.worker, f"/resume/{UNRESOLVED}?action=skip")
    assert "Successfully resumed" in answer
    halted = "thoth_investigator_halted_topics"
    wait_until(lambda: metric(refused.worker, halted, base_topic_name=UNRESOLVED) == 0, "the topic is resumed")

    kafka.send(refused.sandbox.topic(UNRESOLVED), message(fields))

    wait_until(lambda: metric(refused.worker, halted, base_topic_name=UNRESOLVED) == 1, "the topic is halted again")
    for name in ("exceptions_total", "failures_total"):
        assert metric(refused.worker, f"thoth_investigator_{name}", message_type="unresolved_package") == 2
    assert "no index 'https://example.com/simple' is registered" in refused.worker.log_text()
    assert [*refused.sandbox.cluster.created] == []


@pytest.mark.parametrize("damage", [with_wrong_checksum, with_wrong_codec])
def test_an_unreadable_batch_pauses_only_its_partition_and_is_not_skipped(
    sandbox: Sandbox, kafka: BlockingKafka, broker: Broker, damage: Callable[[bytearray], None]
) -> None:
    """Earlier messages are handled, the worker runs on, and the log names the batch's position."""
    damaged, other = Load(kafka, sandbox, "damaged"), Load(kafka, sandbox, "other", RUN_URL)
    kafka.create_topics(broker, [damaged.topic, other.topic])
    damaged.send(3)
    try:
        offset = asyncio.run(send_damaged(broker.bootstrap_servers, damaged.topic, damage, message(project_url="x")))
    except KafkaError as error:
        pytest.skip(f"the broker validates batches and refused this one: {error!r}")
    worker = sandbox.worker(sandbox.env(**SHORT_SESSION))
    with running(worker):
        damaged.wait_for_all()
        unreadable = f"topic={damaged.topic} partition=0 offset={offset} "
        for times in (1, 2):
            wait_until(lambda: worker.log_text().count(unreadable) >= times, "the log names the position again")  # noqa: B023  called in this iteration
            other.send(20)
            other.wait_for_all()
        kafka.send(damaged.topic, message(project_url="https://example.com/later"), partition=0)
        assert worker.stop() == 0
        assert kafka.committed(sandbox.group(), damaged.topic) == {0: offset}
        damaged.wait_for_all()

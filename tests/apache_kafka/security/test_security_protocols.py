# SPDX-License-Identifier: GPL-3.0-or-later
"""Each security protocol and SASL mechanism of the settings, on a real listener."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT, repo_init_message, workflow_counts
from tests.apache_kafka.security.secured_broker import KEY_PASSWORD, PASSWORDS, SecuredBroker, Variables
from tests.support.blocking_kafka import BlockingKafka
from tests.support.polling import wait_until
from tests.support.worker_http import get, metric


def _password_in_a_file(secured: SecuredBroker, folder: Path) -> Variables:
    (folder / "password").write_text(f"{KEY_PASSWORD}\n")
    return {**secured.ssl_variables(), "KAFKA_SSL_KEY_PASSWORD": str(folder / "password")}


def _without_host_check(secured: SecuredBroker, _: Path) -> Variables:
    check = {"KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM": "none"}
    return {**secured.ssl_variables(listener="MISNAMED"), **check}


CONNECTIONS: dict[str, Callable[[SecuredBroker, Path], Variables]] = {
    "a certificate": lambda secured, _: secured.ssl_variables(),
    "the key's password in a file": _password_in_a_file,
    "a broker of another name, unchecked": _without_host_check,
    "SASL_SSL and SCRAM-SHA-512": lambda secured, _: secured.sasl_variables("SASL_SSL", "SCRAM-SHA-512"),
    "SASL_SSL and PLAIN": lambda secured, _: secured.sasl_variables("SASL_SSL", "PLAIN"),
    "SASL_PLAINTEXT and SCRAM-SHA-512": lambda secured, _: secured.sasl_variables("SASL_PLAINTEXT", "SCRAM-SHA-512"),
    "SASL_PLAINTEXT and PLAIN": lambda secured, _: secured.sasl_variables("SASL_PLAINTEXT", "PLAIN"),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_worker_handles_messages_and_halts_over_each_kind_of_connection(
    secured: SecuredBroker, sandbox: Sandbox, kafka: BlockingKafka, tmp_path: Path, name: str
) -> None:
    """Consumer, producer and administration client connect; no password is logged."""
    with sandbox.worker(sandbox.env(**CONNECTIONS[name](secured, tmp_path))) as worker:
        kafka.send(sandbox.topic(REPO_INIT), repo_init_message(1))
        wait_until(lambda: workflow_counts(sandbox.cluster) == {1: 1}, "the message is handled")
        assert get(worker, f"/halt/{REPO_INIT}")[0] == 200
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
    assert not [word for word in (*PASSWORDS.values(), KEY_PASSWORD) if word in worker.log_text()]

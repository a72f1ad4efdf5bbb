# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of workers whose connection a broker refuses, or that refuse the broker's certificate."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from investigator.settings import ConfigurationError, load_settings
from sandbox.environment import Sandbox
from tests.apache_kafka.security.preflight import preflight_problem
from tests.apache_kafka.security.secured_broker import SecuredBroker, Variables
from tests.support.required_settings import REQUIRED


class Refusal(NamedTuple):
    """The variables of a connection that fails, and texts that the message must contain."""

    variables: Callable[[SecuredBroker], Variables]
    says: tuple[str, ...]


def _without_certificate(secured: SecuredBroker) -> Variables:
    return {name: value for name, value in secured.ssl_variables().items() if "CERT" not in name and "KEY" not in name}


def _with(secured: SecuredBroker, name: str, value: object) -> Variables:
    variables = secured.ssl_variables() if name.startswith("KAFKA_SSL") else secured.sasl_variables("SASL_SSL", "PLAIN")
    return {**variables, name: str(value)}


REFUSALS = {
    "a wrong password": Refusal(
        lambda secured: _with(secured, "KAFKA_SASL_PASSWORD", "guessed"), ("KAFKA_SASL_PASSWORD is wrong",)
    ),
    "a wrong password with SCRAM": Refusal(
        lambda secured: {**secured.sasl_variables("SASL_SSL", "SCRAM-SHA-512"), "KAFKA_SASL_PASSWORD": "guessed"},
        ("KAFKA_SASL_PASSWORD is wrong",),
    ),
    "an unknown user": Refusal(
        lambda secured: _with(secured, "KAFKA_SASL_USERNAME", "stranger"), ("KAFKA_SASL_USERNAME",)
    ),
    "a mechanism that the broker does not offer": Refusal(
        lambda secured: _with(secured, "KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"), ("set KAFKA_SASL_MECHANISM to one",)
    ),
    "an expired certificate": Refusal(
        lambda secured: secured.ssl_variables(secured.expired), ("KAFKA_SSL_CERTIFICATE_LOCATION", "valid now")
    ),
    "a certificate of an unknown authority": Refusal(
        lambda secured: secured.ssl_variables(secured.unknown),
        ("KAFKA_SSL_CERTIFICATE_LOCATION", "an authority that the broker trusts"),
    ),
    "no certificate": Refusal(_without_certificate, ("KAFKA_SSL_CERTIFICATE_LOCATION",)),
    "a broker of an unknown authority": Refusal(
        lambda secured: _with(secured, "KAFKA_SSL_CA_LOCATION", secured.other_ca), ("KAFKA_SSL_CA_LOCATION has to be",)
    ),
    "a broker with an expired certificate": Refusal(
        lambda secured: secured.ssl_variables(listener="OUTDATED"), ("has expired", "renewed on the broker")
    ),
    "a broker of another name": Refusal(
        lambda secured: secured.ssl_variables(listener="MISNAMED"),
        ("not valid for '127.0.0.1'", "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none"),
    ),
    "no encryption on an encrypted listener": Refusal(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("MUTUAL")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
    "encryption on a plaintext listener": Refusal(
        lambda secured: {
            **secured.ssl_variables(),
            "KAFKA_BOOTSTRAP_SERVERS": secured.broker.bootstrap_servers,
        },
        ("KAFKA_SECURITY_PROTOCOL",),
    ),
    "no password on a SASL listener": Refusal(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("PLAINLOGIN")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_connection_names_the_setting_to_change(secured: SecuredBroker, deployment: str, name: str) -> None:
    """The message is one problem with the broker's address, the reason and the setting, but not the password."""
    problem = preflight_problem(deployment, REFUSALS[name].variables(secured))

    assert problem.startswith("Kafka at 127.0.0.1:")
    for words in REFUSALS[name].says:
        assert words in problem
    assert "guessed" not in problem


@pytest.mark.parametrize("name", ["a wrong password", "an expired certificate"])
def test_a_worker_whose_connection_is_refused_ends_at_once(secured: SecuredBroker, sandbox: Sandbox, name: str) -> None:
    """It does not retry, but exits with status 1 and the reason."""
    worker = sandbox.worker(sandbox.env(**REFUSALS[name].variables(secured)))
    worker.start()
    assert worker.wait(timeout=60) == 1
    for words in REFUSALS[name].says:
        assert words in worker.log_text()
    assert "Traceback" not in worker.log_text()


@pytest.mark.parametrize("name", ["KAFKA_SSL_CA_LOCATION", "KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"])
def test_an_unreadable_file_is_named(secured: SecuredBroker, tmp_path: Path, name: str) -> None:
    """The settings check it, before the worker connects to a broker."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**REQUIRED, **_with(secured, name, tmp_path / "absent")})
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert "absent" in problem


def test_a_session_timeout_that_brokers_refuse_ends_the_worker(secured: SecuredBroker, sandbox: Sandbox) -> None:
    """The worker could join no group; the log names the setting."""
    credentials = secured.sasl_variables("SASL_SSL", "PLAIN")
    worker = sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_SESSION_TIMEOUT="0.5", **credentials))
    worker.start()
    assert worker.wait(timeout=60) != 0
    assert "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within" in worker.log_text()

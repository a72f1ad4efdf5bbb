# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said where one is not let in."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from investigator.settings import ConfigurationError, load_settings
from sandbox.environment import Sandbox
from tests.apache_kafka.security.preflight import preflight_problem
from tests.apache_kafka.security.secured_broker import SecuredBroker, Variables
from tests.unit.settings.test_loader import REQUIRED


class Refused(NamedTuple):
    """A way that does not lead in, and words of what has to be said about it."""

    variables: Callable[[SecuredBroker], Variables]
    says: tuple[str, ...]


def _without_certificate(secured: SecuredBroker) -> Variables:
    return {name: value for name, value in secured.ssl_variables().items() if "CERT" not in name and "KEY" not in name}


def _with(secured: SecuredBroker, name: str, value: object) -> Variables:
    variables = secured.ssl_variables() if name.startswith("KAFKA_SSL") else secured.sasl_variables("SASL_SSL", "PLAIN")
    return {**variables, name: str(value)}


REFUSED = {
    "a wrong password": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_PASSWORD", "guessed"), ("KAFKA_SASL_PASSWORD is wrong",)
    ),
    "a wrong password with SCRAM": Refused(
        lambda secured: {**secured.sasl_variables("SASL_SSL", "SCRAM-SHA-512"), "KAFKA_SASL_PASSWORD": "guessed"},
        ("KAFKA_SASL_PASSWORD is wrong",),
    ),
    "an unknown user": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_USERNAME", "nobody"), ("KAFKA_SASL_USERNAME",)
    ),
    "a mechanism that is not offered": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"), ("set KAFKA_SASL_MECHANISM to one",)
    ),
    "an expired certificate": Refused(
        lambda secured: secured.ssl_variables(secured.expired), ("KAFKA_SSL_CERTIFICATE_LOCATION", "valid now")
    ),
    "a certificate of an unknown authority": Refused(
        lambda secured: secured.ssl_variables(secured.unknown),
        ("KAFKA_SSL_CERTIFICATE_LOCATION", "an authority that the broker trusts"),
    ),
    "no certificate": Refused(_without_certificate, ("KAFKA_SSL_CERTIFICATE_LOCATION",)),
    "a broker of an unknown authority": Refused(
        lambda secured: _with(secured, "KAFKA_SSL_CA_LOCATION", secured.other_ca), ("KAFKA_SSL_CA_LOCATION has to be",)
    ),
    "a broker with an expired certificate": Refused(
        lambda secured: secured.ssl_variables(listener="OUTDATED"), ("has expired", "renewed on the broker")
    ),
    "a broker of another name": Refused(
        lambda secured: secured.ssl_variables(listener="MISNAMED"),
        ("not valid for '127.0.0.1'", "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none"),
    ),
    "no encryption where it is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("MUTUAL")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
    "encryption where none is": Refused(
        lambda secured: {
            **secured.ssl_variables(),
            "KAFKA_BOOTSTRAP_SERVERS": secured.broker.bootstrap_servers,
        },
        ("KAFKA_SECURITY_PROTOCOL",),
    ),
    "no password where one is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("PLAINLOGIN")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_whoever_is_not_let_in_is_told_which_setting_it_is(secured: SecuredBroker, deployment: str, name: str) -> None:
    """One problem, with the broker's address, its reason, and the setting to put right; never the password."""
    problem = preflight_problem(deployment, REFUSED[name].variables(secured))

    assert problem.startswith("Kafka at 127.0.0.1:")
    for words in REFUSED[name].says:
        assert words in problem
    assert "guessed" not in problem


@pytest.mark.parametrize("name", ["a wrong password", "an expired certificate"])
def test_a_worker_that_is_not_let_in_ends_at_once(secured: SecuredBroker, sandbox: Sandbox, name: str) -> None:
    """Status 1 and the reason, which no waiting would change."""
    worker = sandbox.worker(sandbox.env(**REFUSED[name].variables(secured)))
    worker.start()
    assert worker.wait(timeout=60) == 1
    for words in REFUSED[name].says:
        assert words in worker.log_text()
    assert "Traceback" not in worker.log_text()


@pytest.mark.parametrize("name", ["KAFKA_SSL_CA_LOCATION", "KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"])
def test_a_file_that_cannot_be_read_is_named(secured: SecuredBroker, tmp_path: Path, name: str) -> None:
    """It is found before anything is asked of a broker."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**REQUIRED, **_with(secured, name, tmp_path / "absent")})
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert "absent" in problem


def test_a_session_that_brokers_do_not_allow_ends_the_worker(secured: SecuredBroker, sandbox: Sandbox) -> None:
    """It would be let into no group, however long it waited; the setting is named."""
    way_in = secured.sasl_variables("SASL_SSL", "PLAIN")
    worker = sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_SESSION_TIMEOUT="0.5", **way_in))
    worker.start()
    assert worker.wait(timeout=60) != 0
    assert "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within" in worker.log_text()

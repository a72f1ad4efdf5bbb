# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said where one is not let in."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from investigator.settings import ConfigurationError, load_settings
from sandbox.environment import Sandbox
from tests.apache_kafka.security.secured import Secured, Variables
from tests.apache_kafka.security.start import problem_of
from tests.unit.settings.test_loader import REQUIRED


class Refused(NamedTuple):
    """A way that does not lead in, and words of what has to be said about it."""

    variables: Callable[[Secured], Variables]
    says: tuple[str, ...]


def _without_certificate(secured: Secured) -> Variables:
    return {name: value for name, value in secured.by_certificate().items() if "CERT" not in name and "KEY" not in name}


def _with(secured: Secured, name: str, value: object) -> Variables:
    variables = secured.by_certificate() if name.startswith("KAFKA_SSL") else secured.by_password("SASL_SSL", "PLAIN")
    return {**variables, name: str(value)}


REFUSED = {
    "a wrong password": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_PASSWORD", "guessed"), ("KAFKA_SASL_PASSWORD is wrong",)
    ),
    "a wrong password with SCRAM": Refused(
        lambda secured: {**secured.by_password("SASL_SSL", "SCRAM-SHA-512"), "KAFKA_SASL_PASSWORD": "guessed"},
        ("KAFKA_SASL_PASSWORD is wrong",),
    ),
    "an unknown user": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_USERNAME", "nobody"), ("KAFKA_SASL_USERNAME",)
    ),
    "a mechanism that is not offered": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"), ("set KAFKA_SASL_MECHANISM to one",)
    ),
    "an expired certificate": Refused(
        lambda secured: secured.by_certificate(secured.expired), ("KAFKA_SSL_CERTIFICATE_LOCATION", "valid now")
    ),
    "a certificate of an unknown authority": Refused(
        lambda secured: secured.by_certificate(secured.unknown),
        ("KAFKA_SSL_CERTIFICATE_LOCATION", "an authority that the broker trusts"),
    ),
    "no certificate": Refused(_without_certificate, ("KAFKA_SSL_CERTIFICATE_LOCATION",)),
    "a broker of an unknown authority": Refused(
        lambda secured: _with(secured, "KAFKA_SSL_CA_LOCATION", secured.other_ca), ("KAFKA_SSL_CA_LOCATION has to be",)
    ),
    "a broker with an expired certificate": Refused(
        lambda secured: secured.by_certificate(listener="OUTDATED"), ("has expired", "renewed on the broker")
    ),
    "a broker of another name": Refused(
        lambda secured: secured.by_certificate(listener="MISNAMED"),
        ("not valid for '127.0.0.1'", "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none"),
    ),
    "no encryption where it is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("MUTUAL")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
    "encryption where none is": Refused(
        lambda secured: {
            **secured.by_certificate(),
            "KAFKA_BOOTSTRAP_SERVERS": secured.broker.bootstrap_servers,
        },
        ("KAFKA_SECURITY_PROTOCOL",),
    ),
    "no password where one is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("PLAINLOGIN")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_whoever_is_not_let_in_is_told_which_setting_it_is(secured: Secured, deployment: str, name: str) -> None:
    """One problem, with the broker's address, its reason, and the setting to put right; never the password."""
    problem = problem_of(deployment, REFUSED[name].variables(secured))

    assert problem.startswith("Kafka at 127.0.0.1:")
    for words in REFUSED[name].says:
        assert words in problem
    assert "guessed" not in problem


@pytest.mark.parametrize("name", ["a wrong password", "an expired certificate"])
def test_a_worker_that_is_not_let_in_ends_at_once(secured: Secured, sandbox: Sandbox, name: str) -> None:
    """Status 1 and the reason, which no waiting would change."""
    worker = sandbox.worker(sandbox.env(**REFUSED[name].variables(secured)))
    worker.start()
    assert worker.wait(timeout=60) == 1
    for words in REFUSED[name].says:
        assert words in worker.log_text()
    assert "Traceback" not in worker.log_text()


@pytest.mark.parametrize("name", ["KAFKA_SSL_CA_LOCATION", "KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"])
def test_a_file_that_cannot_be_read_is_named(secured: Secured, tmp_path: Path, name: str) -> None:
    """It is found before anything is asked of a broker."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**REQUIRED, **_with(secured, name, tmp_path / "absent")})
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert "absent" in problem


def test_a_session_that_brokers_do_not_allow_ends_the_worker(secured: Secured, sandbox: Sandbox) -> None:
    """It would be let into no group, however long it waited; the setting is named."""
    way_in = secured.by_password("SASL_SSL", "PLAIN")
    worker = sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_SESSION_TIMEOUT="0.5", **way_in))
    worker.start()
    assert worker.wait(timeout=60) != 0
    assert "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within" in worker.log_text()

# SPDX-License-Identifier: GPL-3.0-or-later
import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from faust.types.auth import AuthProtocol

from investigator.kafka.options import client_options
from investigator.settings import ConfigurationError, Settings, load_settings
from investigator.streaming.options import faust_options
from tests.support.required_settings import REQUIRED


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """Make a certificate and its encrypted key, and return the variables that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "investigator")])
    now = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    encryption = serialization.BestAvailableEncryption(b"opens sesame")
    (tmp_path / "ca.pem").write_bytes(signed.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption))
    return {
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CA_LOCATION": str(tmp_path / "ca.pem"),
        "KAFKA_SSL_CERTIFICATE_LOCATION": str(tmp_path / "ca.pem"),
        "KAFKA_SSL_KEY_LOCATION": str(tmp_path / "key.pem"),
        "KAFKA_SSL_KEY_PASSWORD": "opens sesame",
    }


def _settings(**variables: str) -> Settings:
    return load_settings(REQUIRED | variables)


def test_a_plain_connection_has_no_credentials() -> None:
    """The default is a broker without encryption and passwords."""
    assert faust_options(_settings())["broker_credentials"] is None
    assert client_options(_settings())["ssl_context"] is None


def test_certificates_are_loaded_and_the_host_is_checked(certificate: dict[str, str]) -> None:
    """The broker has to prove its identity."""
    context = client_options(_settings(**certificate))["ssl_context"]
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


def test_the_check_of_the_host_can_be_switched_off(certificate: dict[str, str]) -> None:
    """Some brokers have certificates for another host; the certificate itself is still verified."""
    settings = _settings(**certificate, KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM="none")
    context = client_options(settings)["ssl_context"]
    assert not context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_key_that_cannot_be_decrypted_is_a_configuration_error(
    certificate: dict[str, str], password: str | None
) -> None:
    """The error names the variables and not the password; OpenSSL does not ask at the terminal."""
    variables = {name: text for name, text in certificate.items() if name != "KAFKA_SSL_KEY_PASSWORD"}
    settings = _settings(**variables, **({"KAFKA_SSL_KEY_PASSWORD": password} if password else {}))
    with pytest.raises(ConfigurationError) as caught:
        client_options(settings)
    assert "KAFKA_SSL_KEY_PASSWORD" in caught.value.problems[0]
    assert "wrong" not in caught.value.problems[0].replace("settings are wrong", "")


def test_a_file_that_is_no_certificate_is_a_configuration_error(certificate: dict[str, str], tmp_path: Path) -> None:
    """The file can be read, but not parsed."""
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(ConfigurationError):
        faust_options(_settings(**certificate))


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_user_and_password_are_passed_to_both_kinds_of_clients(protocol: str) -> None:
    """Faust's consumer and our own clients use the same credentials."""
    sasl = {
        "KAFKA_SECURITY_PROTOCOL": protocol,
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "investigator",
        "KAFKA_SASL_PASSWORD": "hunter2",
    }
    options = client_options(_settings(**sasl))
    login = faust_options(_settings(**sasl))["broker_credentials"]
    assert (options["security_protocol"], options["sasl_mechanism"]) == (protocol, "SCRAM-SHA-512")
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("investigator", "hunter2")
    assert login is not None
    assert login.protocol is AuthProtocol(protocol)
    assert (options["ssl_context"] is not None) == (protocol == "SASL_SSL")

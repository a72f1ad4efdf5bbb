# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the settings to the options of aiokafka's clients."""

import ssl
from functools import partial
from typing import Any

from investigator.kafka.rotating_tls import RotatingContext
from investigator.settings import ConfigurationError, Settings
from investigator.settings.secrets import secret_value

_SSL_REMEDY = (
    "KAFKA_SSL_CA_LOCATION and _CERTIFICATE_LOCATION have to be files in PEM form, KAFKA_SSL_KEY_LOCATION the key of "
    "that certificate, and KAFKA_SSL_KEY_PASSWORD its password."
)


def client_options(settings: Settings) -> dict[str, Any]:
    """Return the options that every client of aiokafka accepts.

    Raises:
        ConfigurationError: the certificates or the key can't be loaded.
    """
    return {
        "bootstrap_servers": list(settings.kafka_bootstrap_servers),
        "client_id": settings.kafka_client_id,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
        "sasl_mechanism": settings.kafka_sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": secret_value(settings.kafka_sasl_password),
    }


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context for connections to brokers, which follows its files; None for a protocol without TLS.

    Raises:
        ConfigurationError: the certificates or the key can't be loaded.
    """
    if not settings.uses_ssl:
        return None
    ca, certificate, key = (
        settings.kafka_ssl_ca_location,
        settings.kafka_ssl_certificate_location,
        settings.kafka_ssl_key_location,
    )
    try:
        return RotatingContext(partial(_configure, settings), [path for path in (ca, certificate, key) if path])
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            [f"KAFKA_SSL_*: the certificates or the key can't be loaded: {error}. {_SSL_REMEDY}"]
        ) from error


def _configure(settings: Settings, context: ssl.SSLContext) -> None:
    if settings.kafka_ssl_ca_location:
        context.load_verify_locations(settings.kafka_ssl_ca_location)
    else:
        context.load_default_certs()
    if settings.kafka_ssl_certificate_location:
        # Never without a password: OpenSSL would ask for it at the terminal.
        password = secret_value(settings.kafka_ssl_key_password) or ""
        context.load_cert_chain(settings.kafka_ssl_certificate_location, settings.kafka_ssl_key_location, password)
    context.check_hostname = settings.kafka_ssl_endpoint_identification_algorithm != "none"

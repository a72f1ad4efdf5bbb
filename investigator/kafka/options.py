# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the settings to the options of aiokafka's clients."""

import ssl
from pathlib import Path
from typing import Any

from aiokafka.helpers import create_ssl_context

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
    """Return the TLS context for connections to brokers; None for a protocol without TLS.

    Raises:
        ConfigurationError: the certificates or the key can't be loaded.
    """
    if not settings.uses_ssl:
        return None
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=_path(settings.kafka_ssl_ca_location),
            certfile=_path(settings.kafka_ssl_certificate_location),
            keyfile=_path(settings.kafka_ssl_key_location),
            # Never None: OpenSSL would ask for the password at the terminal.
            password=secret_value(settings.kafka_ssl_key_password) or "",
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            [f"KAFKA_SSL_*: the certificates or the key can't be loaded: {error}. {_SSL_REMEDY}"]
        ) from error
    context.check_hostname = settings.kafka_ssl_endpoint_identification_algorithm != "none"
    return context


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the broker: the settings as aiokafka's clients and as Faust take them."""

import ssl
from pathlib import Path
from typing import Any

from aiokafka.helpers import create_ssl_context
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types.auth import AuthProtocol

from investigator.records import reveal
from investigator.settings import Settings


def client_options(settings: Settings) -> dict[str, Any]:
    """Give the options that every client of aiokafka takes.

    Raises:
        OSError: a certificate or key can't be read or used (ssl.SSLError is one of them).
    """
    return {
        "bootstrap_servers": list(settings.kafka_bootstrap_servers),
        "client_id": settings.kafka_client_id,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": _ssl_context(settings),
        "sasl_mechanism": settings.kafka_sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": reveal(settings.kafka_sasl_password),
    }


def credentials(settings: Settings) -> Credentials | None:
    """Give the same to Faust; None where the connection is plain."""
    context = _ssl_context(settings)
    if settings.uses_sasl:
        sasl = SASLCredentials(
            username=settings.kafka_sasl_username,
            password=reveal(settings.kafka_sasl_password),
            mechanism=settings.kafka_sasl_mechanism or "PLAIN",
            ssl_context=context,
        )
        sasl.protocol = AuthProtocol(settings.kafka_security_protocol)
        return sasl
    return None if context is None else SSLCredentials(context)


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.uses_ssl:
        return None
    context: ssl.SSLContext = create_ssl_context(
        cafile=_path(settings.kafka_ssl_ca_location),
        certfile=_path(settings.kafka_ssl_certificate_location),
        keyfile=_path(settings.kafka_ssl_key_location),
        password=reveal(settings.kafka_ssl_key_password),
    )
    context.check_hostname = settings.kafka_ssl_endpoint_identification_algorithm != "none"
    return context


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)

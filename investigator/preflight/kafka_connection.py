# SPDX-License-Identifier: GPL-3.0-or-later
"""The reasons why connections to brokers fail. Each broker is tried alone: a client reports only that none answered."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

_TIMEOUT_SECONDS = 5.0

#: The remedy for an unknown reason.
KAFKA_REMEDY = (
    "See that it runs and that KAFKA_BOOTSTRAP_SERVERS names it; if it requires encryption or a password, set "
    "KAFKA_SECURITY_PROTOCOL and the KAFKA_SSL_ and KAFKA_SASL_ variables to match it."
)

# Patterns of reasons, and the remedy for each; the first pattern that matches counts.
_REMEDIES = (
    (
        "(hostname|IP address) mismatch",
        (
            "The broker's certificate is for another host: name that host in KAFKA_BOOTSTRAP_SERVERS, or set "
            "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none."
        ),
    ),
    (
        "verify failed: certificate has expired",
        "The broker's certificate has expired and has to be renewed on the broker; no setting of the worker helps.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "KAFKA_SSL_CA_LOCATION has to be the file of the certificate authority that signed the broker's certificate.",
    ),
    (
        "_ALERT_",
        (
            "The broker does not accept the worker's certificate: KAFKA_SSL_CERTIFICATE_LOCATION has to be one that is "
            "valid now and signed by an authority that the broker trusts, KAFKA_SSL_KEY_LOCATION its key."
        ),
    ),
    (
        "UnsupportedSaslMechanism",
        "The broker does not offer that mechanism: set KAFKA_SASL_MECHANISM to one that it offers.",
    ),
    (
        "SaslAuthenticationFailed",
        "KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is wrong, or the user does not exist for KAFKA_SASL_MECHANISM.",
    ),
)


async def explain_connection_failure(options: Mapping[str, Any]) -> str:
    """Connect to each of the brokers, and return the reasons of all failures with the remedy.

    Args:
        options: the connection options of aiokafka's clients.
    """
    shared = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    found = await asyncio.gather(*(_reason(server, shared) for server in options["bootstrap_servers"]))
    reasons = [reason for reason in found if reason]
    return f"{'; '.join(reasons) or 'the brokers close the connection'}. {_remedy(' '.join(reasons))}"


def _remedy(reasons: str) -> str:
    matching = (text for pattern, text in _REMEDIES if re.search(pattern, reasons, re.IGNORECASE))
    return next(matching, KAFKA_REMEDY)


async def _reason(server: str, options: Mapping[str, Any]) -> str:
    name, port = server.rsplit(":", 1)
    host = name.strip("[]")
    try:
        connection = await create_conn(host, int(port), request_timeout_ms=_TIMEOUT_SECONDS * 1000, **options)
    except (OSError, KafkaConnectionError, asyncio.TimeoutError) as error:
        return f"{server}: {await _alert(host, int(port), options['ssl_context']) or _text(error)}"
    except KafkaError as error:
        return f"{server}: {_text(error)}"
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(connection.close(), _TIMEOUT_SECONDS)
    return ""


def _text(error: Exception) -> str:
    # Some of aiokafka's errors carry an object instead of a text.
    words = [word for word in error.args if isinstance(word, str)]
    name = type(error).__name__
    return f"{name}: {words[0]}" if words and isinstance(error, KafkaError) else str(error if words else "") or name


async def _alert(host: str, port: int, context: ssl.SSLContext | None) -> str:
    """Return the TLS alert by which a broker rejects the worker's certificate; empty without one.

    The alert comes after the handshake, so that aiokafka only sees a closed connection.
    """
    if context is None:
        return ""
    try:
        await asyncio.wait_for(_read_until_closed(host, port, context), _TIMEOUT_SECONDS)
    except ssl.SSLError as error:
        return str(error) if "_ALERT_" in str(error) else ""
    except (OSError, asyncio.TimeoutError):
        return ""
    return ""


async def _read_until_closed(host: str, port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        await reader.read(1)
    finally:
        # Not close(): it waits for the other end to close TLS, for up to 30 s.
        writer.transport.abort()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Why brokers let nobody in: each is asked by itself, since a client only says that none was of use."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

_TIMEOUT_SECONDS = 5.0

#: What to do where nothing more is known.
KAFKA_REMEDY = (
    "See that it runs and that KAFKA_BOOTSTRAP_SERVERS names it; where it wants encryption or a password, set "
    "KAFKA_SECURITY_PROTOCOL and the KAFKA_SSL_ and KAFKA_SASL_ variables as it does."
)

# What an answer has in it, and what to do about it. The first one that fits counts.
_REMEDIES = (
    (
        "(hostname|IP address) mismatch",
        (
            "The broker's certificate is for another host: let KAFKA_BOOTSTRAP_SERVERS name that one, or set "
            "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none."
        ),
    ),
    (
        "verify failed: certificate has expired",
        "The broker's certificate is out of date and has to be renewed on the broker; no setting of the worker helps.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "KAFKA_SSL_CA_LOCATION has to be the file of the authority that signed the broker's certificate.",
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
        "The broker does not offer that mechanism: set KAFKA_SASL_MECHANISM to one that it does.",
    ),
    (
        "SaslAuthenticationFailed",
        "KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is wrong, or the user is none of KAFKA_SASL_MECHANISM.",
    ),
)


async def explain_connection_failure(options: Mapping[str, Any]) -> str:
    """Ask each of the brokers why it is of no use, and give the answers with what to do about them.

    Args:
        options: how to reach them, as aiokafka's clients take it.
    """
    shared = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    answers = await asyncio.gather(*(_refusal(server, shared) for server in options["bootstrap_servers"]))
    told = [answer for answer in answers if answer]
    return f"{'; '.join(told) or 'the brokers close the connection'}. {_remedy(' '.join(told))}"


def _remedy(answers: str) -> str:
    fitting = (text for pattern, text in _REMEDIES if re.search(pattern, answers, re.IGNORECASE))
    return next(fitting, KAFKA_REMEDY)


async def _refusal(server: str, options: Mapping[str, Any]) -> str:
    name, port = server.rsplit(":", 1)
    host = name.strip("[]")
    try:
        connection = await create_conn(host, int(port), request_timeout_ms=_TIMEOUT_SECONDS * 1000, **options)
    except (OSError, KafkaConnectionError, asyncio.TimeoutError) as error:
        return f"{server}: {await _alert(host, int(port), options['ssl_context']) or _text(error)}"
    except KafkaError as error:
        return f"{server}: {_text(error)}"
    connection.close()
    return ""


def _text(error: Exception) -> str:
    # The errors that brokers answer with carry an object instead of words at times.
    words = [word for word in error.args if isinstance(word, str)]
    name = type(error).__name__
    return f"{name}: {words[0]}" if words and isinstance(error, KafkaError) else str(error if words else "") or name


async def _alert(host: str, port: int, context: ssl.SSLContext | None) -> str:
    """Give the alert with which a broker ends an encrypted connection whose certificate it does not like.

    That comes after the handshake, when aiokafka only sees the connection closed.
    """
    if context is None:
        return ""
    try:
        await asyncio.wait_for(_end(host, port, context), _TIMEOUT_SECONDS)
    except ssl.SSLError as error:
        return str(error) if "_ALERT_" in str(error) else ""
    except (OSError, asyncio.TimeoutError):
        return ""
    return ""


async def _end(host: str, port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        await reader.read(1)
    finally:
        writer.close()

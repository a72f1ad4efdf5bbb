# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in any field or header of any message appear at no exit of a worker and of the operators' commands."""

import json
import logging
from typing import Any

import pytest

from investigator.agent import PermanentError, SecretStr
from investigator.agent.message import fields_of
from investigator.cli.formatting import details, summary
from investigator.cli.masking import Masking
from investigator.delivery.dead_letters import dead_letter_headers
from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.delivery.replay import DeadLetter
from investigator.delivery.retry import Failure
from investigator.message_types import load_message_types
from investigator.observability.logs import JsonFormatter, PlainFormatter
from investigator.observability.redaction import Redactor
from tests.support.examples import Example, load_examples

MESSAGE_TYPES = load_message_types()
EXAMPLES = [example for examples in load_examples().values() for example in examples]
SECRET = "hunter2"
URL = f"https://bot:{SECRET}@index.example.com/simple"
PASSWORD = f'correct {SECRET} "battery" staple'
COMMON = {"component_name": "tester", "service_version": "1.0.0"}
HEADERS = (("authorization", f"Bearer {SECRET}".encode()), ("referer", URL.encode()), ("api-key", SECRET.encode()))


def planted(example: Example) -> dict[str, Any]:
    """Return the fields of an example, with a secret in each: a password where it belongs, else in a URL."""
    fields = fields_of(MESSAGE_TYPES[example.base_name].record)
    return {name: PASSWORD if "SecretStr" in str(kind) else URL for name, (kind, _) in fields.items()} | {
        "version": "v1",
        "unknown_token": PASSWORD,
        "nested": {"secret": [PASSWORD], "url": URL},
    }


def values(example: Example) -> list[bytes]:
    """Return messages with secrets: a refused one, a valid one with its passwords, and damaged ones."""
    refused = json.dumps(planted(example)).encode()
    secrets = {name: PASSWORD for name, content in planted(example).items() if content == PASSWORD}
    valid = json.dumps({**COMMON, **example.fields, **secrets}).encode()
    return [refused, valid, refused[:-20], valid[: len(valid) // 2], valid.replace(b",", b"", 1)]


def exits(delivery: Delivery, error: Exception, redactor: Redactor) -> list[str]:
    """Return every text about a failed message that leaves a worker or a command."""
    failure = Failure(error, 1)
    record = logging.LogRecord(
        "investigator", logging.ERROR, "", 1, "Failed error=%s", (error,), (type(error), error, None)
    )
    headers = dead_letter_headers(delivery, failure, "group", redactor)
    written = headers[len(delivery.headers) :]  # the message's own headers are passed on unchanged
    letter = DeadLetter(delivery.origin, delivery.key, delivery.value, headers)
    mask = Masking(frozenset(), redactor)
    return [
        JsonFormatter(redactor).format(record),
        PlainFormatter(redactor).format(record),
        redactor(str(failure)),  # the halt log and the status page
        repr(written),
        json.dumps(summary(letter, None, mask)),
        json.dumps(details(letter, None, mask)),
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_no_exit_shows_a_secret_of_a_message(example: Example) -> None:
    """Whatever happens to the message: it is refused, or a call fails and quotes its parameters."""
    message_type, origin = MESSAGE_TYPES[example.base_name], Origin(example.base_name, 0, 7, 0)
    for value in values(example):
        redactor, error = Redactor(), Exception("")
        record = None
        try:
            record = message_type.parse(value)
            redactor.learn_from(record)
            secrets = [each.get_secret_value() for each in vars(record).values() if isinstance(each, SecretStr)]
            error = PermanentError(f"POST {URL} answered 422: {json.dumps(secrets)} {secrets} {record}")
        except PermanentError as refusal:
            error = refusal
        delivery = Delivery(
            example.base_name, Partition(example.base_name, 0), 7, URL.encode(), origin, list, value, HEADERS
        )
        for text in exits(delivery, error, redactor):
            assert SECRET not in text
            assert "battery" not in text

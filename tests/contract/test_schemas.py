# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the real clients of producers, held against the generated AsyncAPI document."""

import jsonschema

from docs.asyncapi import asyncapi
from investigator.message_types import load_message_types
from tests.contract.clients import CURRENT, messages_of


def test_real_messages_fit_the_schemas_of_the_document() -> None:
    """A producer that follows the document sends messages that the worker accepts."""
    document = asyncapi(list(load_message_types().values()))
    payloads = {
        channel["address"].removeprefix("{deployment}."): message["payload"]
        for channel in document["channels"].values()
        for message in channel["messages"].values()
    }
    for message in messages_of(CURRENT):
        content = {name: value for name, value in message.content.items() if value is not None}
        jsonschema.validate(content, payloads[message.base_name], jsonschema.Draft202012Validator)

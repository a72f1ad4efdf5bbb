# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from investigator.agent import MessageType
from investigator.agent.message import fields_of
from investigator.delivery.errors import PermanentError
from investigator.message_types import load_message_types
from investigator.settings import load_settings
from sandbox.broker import Broker
from tests.contract.clients import CURRENT, VERSIONS, Sent, messages_of
from tests.support.message_contract import CONTRACT
from tests.support.required_settings import REQUIRED

#: Types of older clients that no handler is left for.
RETIRED = {"thoth.qebhwt-trigger"}

#: Fields that are not read, as the current workflows have no parameters for them.
IGNORED = {
    "application_stack",
    "github_base_repo_url",
    "github_check_run_id",
    "github_event_type",
    "github_head_repo_url",
    "github_installation_id",
    "host",
    "library_usage",
    "revision",
    "runtime_environment",
}

#: Clients up to 0.12 may omit this field. Without it the worker does not know the index, and refuses the message.
DEMANDED = ("thoth.investigator.unresolved-package", "index_url")


@pytest.fixture(params=VERSIONS)
def sent(request: pytest.FixtureRequest) -> list[Sent]:
    """Return the messages of one version of the client, without those of retired types."""
    return [message for message in messages_of(request.param) if message.base_name not in RETIRED]


def _type_of(message: Sent) -> MessageType:
    return load_message_types()[message.base_name]


def _is_complete(message: Sent) -> bool:
    base_name, field = DEMANDED
    return message.base_name != base_name or message.content[field] is not None


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_the_clients_know_exactly_the_types_and_versions_of_the_contract() -> None:
    """So these tests check the whole contract, and the contract names no type or version that no client sends."""
    known = {
        (message.base_name, str(message.content["version"])) for client in VERSIONS for message in messages_of(client)
    }
    contract = {(base_name, version) for base_name, row in CONTRACT.items() for version in row.versions}
    assert {(name, version) for name, version in known if name not in RETIRED} == contract


def test_every_type_and_version_of_the_contract_is_handled() -> None:
    """Types that the contract does not name may be handled too; a type of the contract has no other version."""
    types = load_message_types()
    assert {base_name: types[base_name].versions for base_name in CONTRACT} == {
        base_name: row.versions for base_name, row in CONTRACT.items()
    }


def test_every_type_of_the_current_client_is_handled() -> None:
    """No message of the current client is without a consumer."""
    assert {message.base_name for message in messages_of(CURRENT)} <= load_message_types().keys()


def test_the_worker_reads_the_topics_that_the_client_writes_to(sent: list[Sent]) -> None:
    """Both build the name of a topic from prefix and base name in the same way."""
    settings = load_settings(REQUIRED)
    assert [message.topic for message in sent] == [settings.topic(message.base_name) for message in sent]


def test_every_field_of_a_real_message_is_read(sent: list[Sent]) -> None:
    """Each field has the value that the client sent; null becomes the default."""
    for message in filter(_is_complete, sent):
        kind = _type_of(message)
        record = kind.parse(message.value)
        read = {name: _plain(getattr(record, name)) for name in fields_of(kind.record)}
        sent_fields = {
            name: value for name, value in message.content.items() if value is not None and name not in IGNORED
        }
        assert sent_fields.items() <= read.items(), str(message)


def test_fields_that_a_client_may_omit_are_optional(sent: list[Sent]) -> None:
    """A message that is valid for its producer is valid for the worker."""
    for message in sent:
        optional = {name for name, required in message.fields if not required}
        demanded = {name for name, (_, required) in fields_of(_type_of(message).record).items() if required}
        assert {(message.base_name, name) for name in demanded & optional} <= {DEMANDED}, str(message)


@pytest.mark.parametrize("client", ["0.10.3", "0.11.2", "0.12.0"])
def test_an_unresolved_package_without_its_index_is_refused_by_field_name(client: str) -> None:
    """The operator sees which field the old producer omitted."""
    (message,) = [message for message in messages_of(client) if not _is_complete(message)]
    with pytest.raises(PermanentError, match="'index_url'"):
        _type_of(message).parse(message.value)


def test_every_field_of_a_client_is_read_or_listed_as_ignored(sent: list[Sent]) -> None:
    """A new field of a client fails this test, until it is read or added to IGNORED."""
    for message in sent:
        assert {name for name, _ in message.fields} - IGNORED <= fields_of(_type_of(message).record).keys(), str(
            message
        )


async def test_aiokafka_reads_exactly_what_the_real_producer_sent(broker: Broker, deployment: str) -> None:
    """The client's producer is librdkafka; values, topics and the absence of keys are the same."""
    topics = [f"{deployment}.{base_name}" for base_name in sorted(load_message_types())]
    await broker.create_topics(topics)
    sent = messages_of(CURRENT, deployment, broker.bootstrap_servers)
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        arrived = [await asyncio.wait_for(consumer.getone(), 20) for _ in sent]
    finally:
        await consumer.stop()
    received = sorted((record.topic, record.value) for record in arrived)
    assert received == sorted((message.topic, message.value) for message in sent)
    assert {record.key for record in arrived} == {None}

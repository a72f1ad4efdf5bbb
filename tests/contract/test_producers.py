# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from investigator.agent import MessageType
from investigator.agent.message import fields_of
from investigator.app import load_message_types
from investigator.delivery.errors import PermanentError
from investigator.settings import load_settings
from sandbox.broker import Broker
from tests.contract.clients import TODAY, VERSIONS, Sent, messages_of
from tests.unit.settings.test_loader import REQUIRED

#: Older clients know types that nobody handles any more.
RETIRED = {"thoth.qebhwt-trigger"}

#: Fields of messages that lead to nothing: the workflows of today have no such parameters.
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

#: Until 0.12 a client could leave this out, and nobody could tell then which index to ask: such a message is refused.
DEMANDED = ("thoth.investigator.unresolved-package", "index_url")


@pytest.fixture(params=VERSIONS)
def sent(request: pytest.FixtureRequest) -> list[Sent]:
    """Give the messages of one version of the client, those of retired types left out."""
    return [message for message in messages_of(request.param) if message.base_name not in RETIRED]


def _type_of(message: Sent) -> MessageType:
    return load_message_types()[message.base_name]


def _is_complete(message: Sent) -> bool:
    base_name, field = DEMANDED
    return message.base_name != base_name or message.contents[field] is not None


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_together_the_clients_know_every_type_and_version_that_is_handled() -> None:
    """What is proved here is the whole contract: no type or version is only our own invention."""
    known = {
        (message.base_name, str(message.contents["version"])) for client in VERSIONS for message in messages_of(client)
    }
    handled = {(each.base_name, version) for each in load_message_types().values() for version in each.versions}
    assert {(name, version) for name, version in known if name not in RETIRED} == handled


def test_every_type_of_todays_client_is_handled() -> None:
    """Nothing that is sent today goes unread."""
    assert {message.base_name for message in messages_of(TODAY)} <= load_message_types().keys()


def test_topics_are_where_the_client_sends_to(sent: list[Sent]) -> None:
    """Prefix and base name are put together alike."""
    settings = load_settings(REQUIRED)
    assert [message.topic for message in sent] == [settings.topic(message.base_name) for message in sent]


def test_every_real_message_is_read_with_all_that_it_says(sent: list[Sent]) -> None:
    """Each field arrives as it was sent; null becomes the default."""
    for message in filter(_is_complete, sent):
        kind = _type_of(message)
        record = kind.parse(message.value)
        read = {name: _revealed(getattr(record, name)) for name in fields_of(kind.record)}
        given = {name: value for name, value in message.contents.items() if value is not None and name not in IGNORED}
        assert given.items() <= read.items(), str(message)


def test_nothing_is_required_that_a_client_may_leave_out(sent: list[Sent]) -> None:
    """A message that its producer takes for complete is complete here."""
    for message in sent:
        optional = {name for name, required in message.fields if not required}
        demanded = {name for name, (_, required) in fields_of(_type_of(message).record).items() if required}
        assert {(message.base_name, name) for name in demanded & optional} <= {DEMANDED}, str(message)


@pytest.mark.parametrize("client", ["0.10.3", "0.11.2", "0.12.0"])
def test_an_unresolved_package_without_its_index_is_refused_by_the_fields_name(client: str) -> None:
    """The operator learns what an old producer left out."""
    (message,) = [message for message in messages_of(client) if not _is_complete(message)]
    with pytest.raises(PermanentError, match="'index_url'"):
        _type_of(message).parse(message.value)


def test_no_field_of_a_client_is_overlooked(sent: list[Sent]) -> None:
    """Each field is either read or listed above as leading to nothing."""
    for message in sent:
        assert {name for name, _ in message.fields} - IGNORED <= fields_of(_type_of(message).record).keys(), str(
            message
        )


async def test_messages_that_the_real_producer_sends_arrive_as_they_are(broker: Broker, deployment: str) -> None:
    """The client's own producer (librdkafka) and our broker and consumer (aiokafka) understand each other."""
    topics = [f"{deployment}.{base_name}" for base_name in sorted(load_message_types())]
    await broker.create_topics(topics)
    sent = messages_of(TODAY, deployment, broker.bootstrap_servers)
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        arrived = [await asyncio.wait_for(consumer.getone(), 20) for _ in sent]
    finally:
        await consumer.stop()
    received = sorted((record.topic, record.value) for record in arrived)
    assert received == sorted((message.topic, message.value) for message in sent)
    assert {record.key for record in arrived} == {None}

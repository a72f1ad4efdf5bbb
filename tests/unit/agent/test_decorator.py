# SPDX-License-Identifier: GPL-3.0-or-later
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from investigator.agent import MESSAGE_TYPES, Handler, Message, MessageType, Mode, Text, Work, agent
from investigator.delivery.errors import PermanentError


class Released(Message, serializer="json"):
    """A record with a field."""

    name: Text


class Removed(Message, serializer="json"):
    """A record without fields of its own."""


async def solve(_message: Released, _work: Work) -> None:
    """Do nothing; the tests only register it."""


async def notify(_message: Released, _work: Work) -> None:
    """Do nothing; a second handler of the same record."""


async def flag(_message: Removed, _work: Work) -> None:
    """Do nothing; a handler of another record."""


@pytest.fixture
def registry() -> dict[str, MessageType]:
    """A registry of the test's own, so that the application's is not changed."""
    return {}


def declaration(registry: dict[str, MessageType], mode: Mode, *versions: str) -> Callable[[Handler], Handler]:
    """Return the decorator for handlers of `test.released`."""
    return agent("test.released", mode=mode, versions=versions or ("v1",), registry=registry)


def test_the_decorator_and_the_annotation_define_a_message_type(registry: dict[str, MessageType]) -> None:
    """Topic, versions and mode are arguments of the decorator; the record is the annotation of the handler."""
    assert declaration(registry, Mode.BACKEND, "v1", "v2")(solve) is solve

    assert registry == {"test.released": MessageType("test.released", Released, ("v1", "v2"), {Mode.BACKEND: solve})}


def test_a_second_mode_adds_its_handler_to_the_same_message_type(registry: dict[str, MessageType]) -> None:
    """One message may mean different work in different modes."""
    declaration(registry, Mode.BACKEND)(solve)
    declaration(registry, Mode.MIDDLETIER)(notify)

    assert registry["test.released"].handlers == {Mode.BACKEND: solve, Mode.MIDDLETIER: notify}


@pytest.mark.parametrize(
    ("modes", "consumes"),
    [
        ((Mode.BACKEND,), True),
        ((Mode.MIDDLETIER,), False),
        ((Mode.MIDDLETIER, Mode.BACKEND), True),
        ((Mode.METRICS,), True),
    ],
)
def test_a_worker_consumes_only_topics_with_a_handler_in_its_modes(
    registry: dict[str, MessageType], modes: tuple[Mode, ...], *, consumes: bool
) -> None:
    """Metrics mode consumes every topic, as it counts the messages."""
    declaration(registry, Mode.BACKEND)(solve)

    assert registry["test.released"].has_work_in(modes) is consumes


def test_two_handlers_for_one_mode_are_refused(registry: dict[str, MessageType]) -> None:
    """The worker does not start, rather than call only one of them."""
    declaration(registry, Mode.BACKEND)(solve)

    with pytest.raises(TypeError, match="two handlers for mode backend"):
        declaration(registry, Mode.BACKEND)(notify)


def test_handlers_of_one_type_share_its_record_and_versions(registry: dict[str, MessageType]) -> None:
    """The worker parses a message once for all handlers."""
    declaration(registry, Mode.BACKEND)(solve)

    with pytest.raises(TypeError, match="share one record"):
        declaration(registry, Mode.MIDDLETIER)(flag)
    with pytest.raises(TypeError, match="share one record"):
        declaration(registry, Mode.MIDDLETIER, "v1", "v2")(notify)


def test_a_handler_without_a_record_is_refused(registry: dict[str, MessageType]) -> None:
    """The decorator takes the record from the annotation."""

    async def untyped(_message: dict[str, str], _work: Work) -> None: ...

    with pytest.raises(TypeError, match="untyped: the first parameter must be annotated with a record"):
        declaration(registry, Mode.BACKEND)(untyped)


def test_aliases_that_faust_would_treat_as_a_field_are_refused(registry: dict[str, MessageType]) -> None:
    """Otherwise every message of the type would be refused, as it lacks a field named aliases."""

    class Bare(Message, serializer="json"):
        name: Text
        aliases: ClassVar = {"label": "name"}

    async def handle(_message: Bare, _work: Work) -> None: ...

    with pytest.raises(TypeError, match="Bare: annotate aliases with ClassVar"):
        declaration(registry, Mode.BACKEND)(handle)


def test_a_message_type_parses_its_messages(registry: dict[str, MessageType]) -> None:
    """It uses the registered record and versions."""
    declaration(registry, Mode.BACKEND, "v2")(solve)
    parse = registry["test.released"].parse

    message = parse(b'{"component_name": "tester", "service_version": "1", "version": "v2", "name": "flask"}')
    assert isinstance(message, Released)
    assert message.name == "flask"
    with pytest.raises(PermanentError, match=r"no handler for version 'v1' of test\.released"):
        parse(b'{"component_name": "tester", "service_version": "1", "name": "flask"}')


def test_another_registry_does_not_change_that_of_the_application(registry: dict[str, MessageType]) -> None:
    """So the application consumes no message type of a test."""
    declaration(registry, Mode.BACKEND)(solve)

    assert "test.released" not in MESSAGE_TYPES


def test_importing_an_agent_only_registers_its_handlers() -> None:
    """The import needs neither Kafka, the cluster and the graph, nor environment variables."""
    script = "import agents.repo_init, investigator.agent as a; print(*a.MESSAGE_TYPES)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, env={}, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["thoth.repo-init"]
    assert importlib.import_module("agents.repo_init").__doc__

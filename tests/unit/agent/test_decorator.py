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


class Knock(Message, serializer="json"):
    """Somebody is at the door."""

    name: Text


class Ring(Message, serializer="json"):
    """Somebody rings."""


async def listen(_message: Knock, _work: Work) -> None:
    """Do nothing; declared by the tests only."""


async def open_up(_message: Knock, _work: Work) -> None:
    """Do nothing either."""


async def answer(_message: Ring, _work: Work) -> None:
    """Do nothing about another type of message."""


@pytest.fixture
def registry() -> dict[str, MessageType]:
    """A registry of the test's own, so that the application's stays as the agents declared it."""
    return {}


def declaration(registry: dict[str, MessageType], mode: Mode, *versions: str) -> Callable[[Handler], Handler]:
    """Make the decorator for handlers of `house.knock`."""
    return agent("house.knock", mode=mode, versions=versions or ("v1",), registry=registry)


def test_a_declared_handler_is_all_that_makes_a_message_type(registry: dict[str, MessageType]) -> None:
    """Topic, record, versions and mode stand in the decorator and the handler's annotation, and nowhere else."""
    assert declaration(registry, Mode.BACKEND, "v1", "v2")(listen) is listen

    assert registry == {"house.knock": MessageType("house.knock", Knock, ("v1", "v2"), {Mode.BACKEND: listen})}


def test_a_second_mode_adds_its_handler_to_the_same_message_type(registry: dict[str, MessageType]) -> None:
    """One message may mean different work in different modes."""
    declaration(registry, Mode.BACKEND)(listen)
    declaration(registry, Mode.MIDDLETIER)(open_up)

    assert registry["house.knock"].handlers == {Mode.BACKEND: listen, Mode.MIDDLETIER: open_up}


@pytest.mark.parametrize(
    ("modes", "consumes"),
    [
        ((Mode.BACKEND,), True),
        ((Mode.MIDDLETIER,), False),
        ((Mode.MIDDLETIER, Mode.BACKEND), True),
        ((Mode.METRICS,), True),
    ],
)
def test_a_worker_consumes_only_what_its_modes_have_work_for(
    registry: dict[str, MessageType], modes: tuple[Mode, ...], *, consumes: bool
) -> None:
    """A topic without a handler in the worker's modes is left alone, but metrics mode counts every message."""
    declaration(registry, Mode.BACKEND)(listen)

    assert registry["house.knock"].has_work_in(modes) is consumes


def test_two_handlers_for_one_mode_are_refused(registry: dict[str, MessageType]) -> None:
    """Which of the two would run? A start that asks is better than one that guesses."""
    declaration(registry, Mode.BACKEND)(listen)

    with pytest.raises(TypeError, match="two handlers for mode backend"):
        declaration(registry, Mode.BACKEND)(open_up)


def test_handlers_of_one_type_share_its_record_and_versions(registry: dict[str, MessageType]) -> None:
    """A message is parsed once for all of its handlers."""
    declaration(registry, Mode.BACKEND)(listen)

    with pytest.raises(TypeError, match="share one record"):
        declaration(registry, Mode.MIDDLETIER)(answer)
    with pytest.raises(TypeError, match="share one record"):
        declaration(registry, Mode.MIDDLETIER, "v1", "v2")(open_up)


def test_a_handler_without_a_record_is_refused(registry: dict[str, MessageType]) -> None:
    """The record is read off the annotation, so there has to be one."""

    async def careless(_message: dict[str, str], _work: Work) -> None: ...

    with pytest.raises(TypeError, match="careless: the first parameter must be annotated with a record"):
        declaration(registry, Mode.BACKEND)(careless)


def test_aliases_that_faust_takes_for_a_field_are_refused(registry: dict[str, MessageType]) -> None:
    """Without the whole annotation the older names would never be understood, and no message of the type parsed."""

    class Whisper(Message, serializer="json"):
        name: Text
        aliases: ClassVar = {"label": "name"}

    async def strain(_message: Whisper, _work: Work) -> None: ...

    with pytest.raises(TypeError, match="Whisper: annotate aliases with ClassVar"):
        declaration(registry, Mode.BACKEND)(strain)


def test_a_message_type_parses_its_own_messages(registry: dict[str, MessageType]) -> None:
    """The record and the versions that were declared are the ones that count."""
    declaration(registry, Mode.BACKEND, "v2")(listen)
    parse = registry["house.knock"].parse

    knock = parse(b'{"component_name": "door", "service_version": "1", "version": "v2", "name": "Fridolin"}')
    assert isinstance(knock, Knock)
    assert knock.name == "Fridolin"
    with pytest.raises(PermanentError, match=r"no handler for version 'v1' of house\.knock"):
        parse(b'{"component_name": "door", "service_version": "1", "name": "Fridolin"}')


def test_declaring_elsewhere_leaves_the_applications_registry_alone(registry: dict[str, MessageType]) -> None:
    """Tests and documents may declare message types without the application consuming them."""
    declaration(registry, Mode.BACKEND)(listen)

    assert "house.knock" not in MESSAGE_TYPES


def test_importing_an_agent_only_declares() -> None:
    """No agent does anything at import time that would need Kafka, the cluster, the graph or the environment."""
    script = "import agents.repo_init, investigator.agent as a; print(*a.MESSAGE_TYPES)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, env={}, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["thoth.repo-init"]
    assert importlib.import_module("agents.repo_init").__doc__

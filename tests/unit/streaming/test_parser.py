# SPDX-License-Identifier: GPL-3.0-or-later
"""Large values are parsed beside the event loop."""

import asyncio
import json
import threading
from dataclasses import dataclass, field

import pytest

from investigator.agent import Message, MessageType
from investigator.delivery.errors import PermanentError
from investigator.streaming.parser import LARGE, Parser
from tests.support.sample_record import REQUIRED_FIELDS, Sample


@dataclass(frozen=True)
class Recorded(MessageType):
    """A message type that records the threads in which its values are parsed, and may hold them up."""

    threads: list[threading.Thread] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def parse(self, value: bytes | None) -> Message:
        """Parse the value, once the gate is open."""
        self.threads.append(threading.current_thread())
        self.started.set()
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return super().parse(value)


def of_size(size: int) -> bytes:
    """Return a valid value of that many bytes."""
    empty = json.dumps(REQUIRED_FIELDS | {"unknown": ""}).encode()
    return empty.replace(b'""', b'"' + b"x" * (size - len(empty)) + b'"')


def test_the_event_loop_goes_on_while_a_large_value_is_parsed() -> None:
    """The web server and all other topics need it."""

    async def scenario() -> None:
        message_type, learnt = Recorded("test.sample", Sample, ("v1",), {}), list[object]()
        parsing = asyncio.ensure_future(Parser(learnt.append).parse(message_type, of_size(LARGE)))
        await asyncio.to_thread(message_type.started.wait)
        assert not parsing.done()
        message_type.gate.set()
        assert learnt == [await parsing]
        assert message_type.threads != [threading.current_thread()]

    asyncio.run(scenario())


def test_a_small_value_is_parsed_at_once() -> None:
    """Another thread would cost more than the parsing."""

    async def scenario() -> None:
        message_type = Recorded("test.sample", Sample, ("v1",), {})
        message_type.gate.set()
        await Parser(lambda _record: None).parse(message_type, of_size(LARGE - 1))
        assert message_type.threads == [threading.current_thread()]

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [200, LARGE])
@pytest.mark.parametrize("error", [ValueError("trouble"), MemoryError(), PermanentError("no record")])
def test_every_error_of_the_parser_is_permanent(size: int, error: Exception) -> None:
    """A retry would read the same value."""

    async def scenario() -> None:
        message_type = Recorded("test.sample", Sample, ("v1",), {}, error=error)
        message_type.gate.set()
        with pytest.raises(PermanentError):
            await Parser(lambda _record: None).parse(message_type, of_size(size))

    asyncio.run(scenario())

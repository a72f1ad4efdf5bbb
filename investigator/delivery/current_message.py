# SPDX-License-Identifier: GPL-3.0-or-later
"""The message that the current task processes, for calls deep below a handler that need to know it."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

#: Called with the reason for a wait, in words that continue "waits for".
WhileWaiting = Callable[[str], AbstractAsyncContextManager[object]]
WhileCalling = Callable[[], AbstractContextManager[object]]


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """The message on whose behalf a call is made, as far as the call needs to know it.

    Args:
        message_key: identifies the message.
        while_waiting: entered for as long as the call only waits for its turn, so that the dispatcher can lend the
            message's slot to another message.
        while_held_back: the same, for as long as what the call needs is unavailable; the dispatcher also accepts other
            messages of the topic meanwhile, which may need something else.
        while_calling: entered for as long as a call is under way, so that no decision of an operator cuts it off.
        report_progress: called when the message has achieved something that no later attempt repeats.
    """

    message_key: Hashable
    while_waiting: WhileWaiting = nullcontext
    while_held_back: WhileWaiting = nullcontext
    while_calling: WhileCalling = nullcontext
    report_progress: Callable[[], None] = _nothing


_CURRENT: ContextVar[CallContext | None] = ContextVar("call_context", default=None)


def current_context() -> CallContext:
    """Return the context that `bind_message` set; outside of any message, one whose key is the current task."""
    return _CURRENT.get() or CallContext(asyncio.current_task())


def report_progress() -> None:
    """Record that the current message has achieved something that no later attempt repeats."""
    current_context().report_progress()


@contextmanager
def bind_message(
    message_key: Hashable,
    while_waiting: WhileWaiting = nullcontext,
    *,
    while_held_back: WhileWaiting = nullcontext,
    while_calling: WhileCalling = nullcontext,
    report_progress: Callable[[], None] = _nothing,
) -> Iterator[None]:
    """Make the calls of this task, and of tasks that it starts, calls on behalf of the message."""
    token = _CURRENT.set(CallContext(message_key, while_waiting, while_held_back, while_calling, report_progress))
    try:
        yield
    finally:
        _CURRENT.reset(token)

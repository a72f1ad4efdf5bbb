# SPDX-License-Identifier: GPL-3.0-or-later
"""For which message the current task works, for calls deep below a handler that have to know."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

#: Told what is waited for, in words that continue "waits for".
WhileWaiting = Callable[[str], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call may know of the message that it is made for.

    ``message_key`` tells messages apart. ``while_waiting`` is entered for as long as the call does nothing but wait for
    its turn, so that the engine can give the message's place to another one meanwhile.
    """

    message_key: Hashable
    while_waiting: WhileWaiting = nullcontext


_CURRENT: ContextVar[CallContext | None] = ContextVar("handling", default=None)


def current_context() -> CallContext:
    """Return what the engine said with `bind_message`; outside of any message the current task stands for one."""
    return _CURRENT.get() or CallContext(asyncio.current_task())


@contextmanager
def bind_message(message_key: Hashable, while_waiting: WhileWaiting = nullcontext) -> Iterator[None]:
    """Let the calls of this task, and of tasks that it starts, work for the message ``message_key``."""
    token = _CURRENT.set(CallContext(message_key, while_waiting))
    try:
        yield
    finally:
        _CURRENT.reset(token)

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
class Handling:
    """What a call may know of the message that it is made for.

    ``who`` tells messages apart. ``while_waiting`` is entered for as long as the call does nothing but wait for
    its turn, so that the engine can give the message's place to another one meanwhile.
    """

    who: Hashable
    while_waiting: WhileWaiting = nullcontext


_CURRENT: ContextVar[Handling | None] = ContextVar("handling", default=None)


def handling() -> Handling:
    """Return what the engine said with `handle`; outside of any message the current task stands for one."""
    return _CURRENT.get() or Handling(asyncio.current_task())


@contextmanager
def handle(who: Hashable, while_waiting: WhileWaiting = nullcontext) -> Iterator[None]:
    """Let the calls of this task, and of tasks that it starts, work for the message ``who``."""
    token = _CURRENT.set(Handling(who, while_waiting))
    try:
        yield
    finally:
        _CURRENT.reset(token)

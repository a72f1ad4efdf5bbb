# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that watches a worker, and ends the process when it hangs: a worker that hangs can't end itself."""

import asyncio
import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable

from mode import Service

from investigator.streaming.process_end import end_process
from investigator.streaming.watchdog import Finding, Vitals, Watchdog

_INTERVAL_SECONDS = 1.0

_ENDING = (
    "Ending the worker, because %s; uncommitted messages are redelivered, see docs/operations.md check=%s seconds=%.0f "
    "ended=%s stacks:\n%s"
)


class LoopTurns:
    """Counts turns of an event loop from another thread; a blocked loop turns no more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked = self._turned = 0

    def count(self) -> int:
        """Return the number of turns that were seen, and ask the loop for another one."""
        if self._asked == self._turned:
            self._asked += 1
            with contextlib.suppress(RuntimeError):  # the loop is closed: it turns no more
                self._loop.call_soon_threadsafe(self._turn)
        return self._turned

    def _turn(self) -> None:
        self._turned += 1


class WatchdogService(Service):
    """Watches while the consumer runs.

    Args:
        watchdog: decides.
        vitals: returns what the worker was seen to do, without turns of the event loop.
        consumer_thread: returns the identifier of the consumer's thread. Both are called in the watchdog's thread.
    """

    def __init__(
        self, watchdog: Watchdog, vitals: Callable[[], Vitals], consumer_thread: Callable[[], int | None]
    ) -> None:
        super().__init__()
        self._watchdog = watchdog
        self._vitals = vitals
        self._consumer_thread = consumer_thread
        self._ended = threading.Event()

    async def on_start(self) -> None:
        """Start the thread."""
        self._loop_thread = threading.get_ident()
        self._turns = LoopTurns(asyncio.get_running_loop())
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    async def on_stop(self) -> None:
        """End the thread."""
        self._ended.set()

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(_INTERVAL_SECONDS):
            now = time.monotonic()
            vitals = self._vitals()._replace(loop_turns=self._turns.count())
            if finding := self._watchdog.observe(vitals, now - last):
                self._end(finding, vitals)
            last = now

    def _end(self, finding: Finding, vitals: Vitals) -> None:
        stacks = _stack("event loop", self._loop_thread) + _stack("consumer thread", self._consumer_thread())
        end_process(_ENDING, finding.reason, finding.check, finding.seconds, ",".join(vitals.ended) or "none", stacks)


def _stack(name: str, thread: int | None) -> str:
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001  the documented way to another thread's stack
    return f"{name}:\n{''.join(traceback.format_stack(frame)) if frame else '  (has ended)'}\n"

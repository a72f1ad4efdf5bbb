# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads for calls that block. Unlike those of the standard library they never hold up the end of the process."""

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_Job = Callable[[], None]


class DaemonThreadPool:
    """Runs calls in at most ``number`` daemon threads, which are started as they are needed.

    The executors of the standard library wait for their threads when Python exits: a call that hangs in one of them
    would keep a worker from ending in time after SIGTERM.
    """

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._closed = False

    async def run(self, function: Callable[[], T], *, longest: float | None = None) -> T:
        """Call ``function`` in a thread, with the context variables of the caller.

        When the caller is cancelled, or after the ``longest`` time in seconds, a call that has begun goes on by itself,
        and nobody hears of its end.

        Raises:
            TimeoutError: it took too long.
            RuntimeError: after `close`.
        """
        context = contextvars.copy_context()
        future: Future[T] = Future()
        self._hand_over(lambda: _call(future, lambda: context.run(function)))
        result = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait([result], timeout=longest)
        finally:
            result.cancel()  # does nothing where it is done
        if not done:
            raise TimeoutError(f"{self._name} did not answer within {longest:g} s")
        return result.result()

    def close(self) -> None:
        """Let the threads end after the calls that are in hand or wait already; does not wait for them."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._jobs.put(None)

    def _hand_over(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the threads for {self._name} are closed")
            self._jobs.put(job)
            if not self._idle.acquire(blocking=False) and self._started < self._number:
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            del job  # what it holds must not live on while the thread is idle
            self._idle.release()


def _call(future: "Future[T]", function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - whatever it is belongs to whoever waits for the result
        future.set_exception(error)
    else:
        future.set_result(result)

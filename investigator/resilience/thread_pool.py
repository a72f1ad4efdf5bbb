# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread pool for blocking calls that, unlike those of the standard library, never delays the end of the process."""

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
    """Runs calls in at most ``size`` daemon threads, which start when they are needed.

    The executors of the standard library wait for their threads when Python exits. A call that hangs in one of them
    would prevent a worker from ending in time after SIGTERM.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._closed = False

    async def run(self, function: Callable[[], T], *, timeout: float | None = None) -> T:
        """Call ``function`` in a thread, with the context variables of the caller.

        A call that has begun cannot be stopped: if the caller is cancelled, or after ``timeout`` seconds, it continues
        in its thread, and its result is discarded. The timeout includes the wait for a thread.

        Raises:
            TimeoutError: the call took too long; the text names the pool.
            RuntimeError: the pool is closed.
        """
        context = contextvars.copy_context()
        future: Future[T] = Future()
        self._submit(lambda: _call(future, lambda: context.run(function)))
        result = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait([result], timeout=timeout)
        finally:
            result.cancel()  # without effect on a finished call
        if not done:
            raise TimeoutError(f"{self._name} did not answer within {timeout:g} s")
        return result.result()

    def close(self) -> None:
        """Accept no more calls, and end the threads after those accepted before; does not wait for them."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._jobs.put(None)

    def _submit(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the thread pool {self._name} is closed")
            self._jobs.put(job)
            if not self._idle.acquire(blocking=False) and self._started < self._size:
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            del job  # an idle thread must not keep the job's objects alive
            self._idle.release()


def _call(future: "Future[T]", function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - of whatever type: the caller of `run` raises it
        future.set_exception(error)
    else:
        future.set_result(result)

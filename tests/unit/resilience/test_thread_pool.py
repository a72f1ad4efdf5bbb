# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocking calls off the event loop."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from investigator.resilience.thread_pool import DaemonThreadPool

SEEN: ContextVar[str] = ContextVar("seen")
HANGING = """
import asyncio, time
from investigator.resilience.thread_pool import DaemonThreadPool

async def main():
    asyncio.ensure_future(DaemonThreadPool(2, "hanging").run(lambda: time.sleep(60)))
    await asyncio.sleep(0.2)

asyncio.run(main())
"""


@pytest.fixture
def threads() -> Iterator[DaemonThreadPool]:
    """A pool of three threads."""
    threads = DaemonThreadPool(3, "test")
    yield threads
    threads.close()


def names() -> list[str]:
    """Return the names of the running threads of the tests' pools."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("test-")]


async def test_results_and_errors_reach_the_caller(threads: DaemonThreadPool) -> None:
    """Like those of a direct call."""
    assert await threads.run(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)


async def test_as_many_calls_run_at_once_as_there_are_threads(threads: DaemonThreadPool) -> None:
    """The other calls wait."""
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(30)))
    assert most == 3


async def test_threads_start_when_needed_and_are_reused(threads: DaemonThreadPool) -> None:
    """Consecutive calls need one thread."""
    for _ in range(10):
        await threads.run(time.monotonic)
        await asyncio.sleep(0.002)
    assert len(names()) == 1


async def test_a_call_has_the_context_variables_of_its_caller(threads: DaemonThreadPool) -> None:
    """A log line in a thread identifies the message, for example."""
    SEEN.set("message")
    assert await threads.run(SEEN.get) == "message"


async def test_a_cancelled_call_that_has_not_begun_never_begins(threads: DaemonThreadPool) -> None:
    """The next call gets its thread."""
    release = threading.Event()
    busy = [asyncio.create_task(threads.run(release.wait)) for _ in range(3)]
    done: list[bool] = []
    waiting = asyncio.create_task(threads.run(lambda: done.append(True)))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0.01)
    release.set()
    await asyncio.gather(*busy)
    await threads.run(time.monotonic)
    assert done == []


async def test_the_threads_end_after_a_close() -> None:
    """Calls in progress are finished, and no new ones are accepted."""
    threads = DaemonThreadPool(2, "test")
    call = asyncio.create_task(threads.run(lambda: time.sleep(0.05)))
    await asyncio.sleep(0.01)
    threads.close()
    await call
    await asyncio.sleep(0.05)
    assert names() == []
    with pytest.raises(RuntimeError, match="closed"):
        await threads.run(time.monotonic)


def test_a_call_that_hangs_does_not_delay_the_end_of_the_process() -> None:
    """A worker ends in time after SIGTERM whatever its calls do."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", HANGING], check=True, timeout=30)
    assert time.monotonic() - began < 10

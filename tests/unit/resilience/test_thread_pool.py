# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that block, off the event loop."""

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
    """Three threads."""
    threads = DaemonThreadPool(3, "test")
    yield threads
    threads.close()


def names() -> list[str]:
    """Give the names of the threads of the tests."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("test-")]


async def test_results_and_errors_come_back(threads: DaemonThreadPool) -> None:
    """As if the function had been called here."""
    assert await threads.run(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)


async def test_as_many_run_at_once_as_there_are_threads(threads: DaemonThreadPool) -> None:
    """And the others wait for them."""
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


async def test_threads_are_started_as_needed_and_used_again(threads: DaemonThreadPool) -> None:
    """One call after the other needs one thread."""
    for _ in range(10):
        await threads.run(time.monotonic)
        await asyncio.sleep(0.002)
    assert len(names()) == 1


async def test_context_variables_come_along(threads: DaemonThreadPool) -> None:
    """So that a log line in a thread can tell the message too."""
    SEEN.set("message")
    assert await threads.run(SEEN.get) == "message"


async def test_a_cancelled_call_that_has_not_begun_never_begins(threads: DaemonThreadPool) -> None:
    """And its place goes to the next one."""
    gate = threading.Event()
    busy = [asyncio.create_task(threads.run(gate.wait)) for _ in range(3)]
    done: list[bool] = []
    waiting = asyncio.create_task(threads.run(lambda: done.append(True)))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*busy)
    await threads.run(time.monotonic)
    assert done == []


async def test_after_closing_the_threads_end() -> None:
    """What is in hand is finished, and nothing is taken up any more."""
    threads = DaemonThreadPool(2, "test")
    call = asyncio.create_task(threads.run(lambda: time.sleep(0.05)))
    await asyncio.sleep(0.01)
    threads.close()
    await call
    await asyncio.sleep(0.05)
    assert names() == []
    with pytest.raises(RuntimeError, match="closed"):
        await threads.run(time.monotonic)


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    """A worker ends in time after SIGTERM whatever its calls do."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", HANGING], check=True, timeout=30)
    assert time.monotonic() - began < 10

# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog ends its process from a thread of its own, with the reason, and leaves a suspended one alone."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from investigator.streaming.process_end import EXIT_STATUS

_PROCESS = """
import asyncio, logging, time
from investigator.streaming.watchdog import Vitals, Watchdog
from investigator.streaming.watchdog_thread import WatchdogService

logging.basicConfig(format="%(levelname)s %(message)s")
turns = iter(range(10**9))

async def main():
    vitals = lambda: Vitals(thread_turns=next(turns), polls=next(turns), answers=next(turns), must_poll=True)
    async with WatchdogService(Watchdog({limit}, 9), vitals, lambda: None):
        print("watched", flush=True)
        {body}

def block():
    time.sleep(600)

asyncio.run(main())
"""


@contextmanager
def watched(body: str, limit: float = 2) -> Iterator[subprocess.Popen[str]]:
    """Run a process that is watched while it runs the body; kill it at the end."""
    code = _PROCESS.format(body=body, limit=limit)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watched\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_blocked_event_loop_ends_the_process_with_its_stack() -> None:
    """The status is not 0, so that Kubernetes restarts it; the log says what blocks the loop."""
    with watched("block()") as process:
        _, log = process.communicate(timeout=30)
    assert process.returncode == EXIT_STATUS
    assert "CRITICAL Ending the worker, because its event loop is blocked" in log
    assert "check=loop" in log
    assert "in block" in log


def test_a_process_that_was_suspended_beyond_the_limit_continues() -> None:
    """After SIGCONT it is not ended for the time in which it could not run."""
    with watched("await asyncio.sleep(7); print('done')", limit=3) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        process.send_signal(signal.SIGCONT)
        output, log = process.communicate(timeout=30)
    assert (process.returncode, output, log) == (0, "done\n", "")


def test_a_service_that_stops_ends_its_thread() -> None:
    """A process that blocks after the stop of the consumer, as at its end, is not ended."""
    with watched("pass\n    time.sleep(5); print('done')") as process:
        output, log = process.communicate(timeout=30)
    assert (process.returncode, output, log) == (0, "done\n", "")

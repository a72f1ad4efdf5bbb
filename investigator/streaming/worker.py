# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's worker, which runs the checks before the start first and leaves the format of the log as it was set up."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from signal import Signals
from typing import TYPE_CHECKING, Any, NoReturn, cast

from faust import Worker as FaustWorker
from faust.cli.worker import worker as faust_worker_command
from mode import Worker as ModeWorker

from investigator.errors import StartupError

if TYPE_CHECKING:
    from investigator.streaming.application import Investigator

_LOGGER = logging.getLogger(__name__)


class Worker(FaustWorker):
    """A worker that leaves logging as it was set up: DEBUG_LEVEL decides, not --loglevel."""

    def execute_from_commandline(self) -> NoReturn:
        """Run the checks, then the worker until it stops; exit with status 1 and a message if a check fails."""
        try:
            cast("Investigator", self.app).lifecycle.prepare()
        except StartupError as error:
            sys.exit(str(error))
        super().execute_from_commandline()

    def _schedule_shutdown(self, signal: Signals) -> None:
        # A client may never stop while its broker is unavailable: https://github.com/aio-libs/aiokafka/issues/1101.
        timer = threading.Timer(cast("Investigator", self.app).lifecycle.stop_timeout, _exit_now)
        timer.daemon = True
        timer.start()
        super()._schedule_shutdown(signal)

    def _setup_logging(self) -> None:
        self.spinner = None
        if self.redirect_stdouts:
            self._redirect_stdouts()


class worker(faust_worker_command):  # noqa: N801  (the class's name is the command's)
    """Start a worker."""

    def on_worker_created(self, worker: ModeWorker) -> None:
        """Log one line, where Faust draws a table."""
        _LOGGER.info("Starting worker name=%s", worker.shortlabel, extra={"pid": os.getpid()})


def _exit_now() -> None:
    _LOGGER.warning("Exiting before everything was closed; messages that were not committed will be redelivered")
    logging.shutdown()
    os._exit(os.EX_OK)


def run_apart(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop and thread of its own, without touching Faust's loop; raise what it raises."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()

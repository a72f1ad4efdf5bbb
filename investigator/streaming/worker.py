# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's worker, made to check its surroundings first and to keep our logs: one format from the first line on."""

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
    """A worker that leaves the logging as it was set up before; DEBUG_LEVEL decides, not --loglevel."""

    def execute_from_commandline(self) -> NoReturn:
        """Check that all is there, then run until the end; where something is not, say so and end with status 1."""
        try:
            cast("Investigator", self.app).lifecycle.prepare()
        except StartupError as error:
            sys.exit(str(error))
        super().execute_from_commandline()

    def _schedule_shutdown(self, signal: Signals) -> None:
        # The clients of a broker that has gone away try to take their leave of it without end.
        end = threading.Timer(cast("Investigator", self.app).lifecycle.stop_timeout, _end_at_once)
        end.daemon = True
        end.start()
        super()._schedule_shutdown(signal)

    def _setup_logging(self) -> None:
        self.spinner = None
        if self.redirect_stdouts:
            self._redirect_stdouts()


class worker(faust_worker_command):  # noqa: N801  (the class's name is the command's)
    """Start a worker."""

    def on_worker_created(self, worker: ModeWorker) -> None:
        """Say that it starts by a line of the log, where Faust draws a table."""
        _LOGGER.info("%s starts", worker.shortlabel, extra={"pid": os.getpid()})


def _end_at_once() -> None:
    _LOGGER.warning("Ending now, though not everything could be closed; what was not committed comes again")
    logging.shutdown()
    os._exit(os.EX_OK)


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop and thread of its own, so that Faust's loop is left as it is."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()

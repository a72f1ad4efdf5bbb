# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's worker, made to keep our logs: one format from the first line to the last."""

import logging
import os

from faust import Worker as FaustWorker
from faust.cli.worker import worker as faust_worker_command
from mode import Worker as ModeWorker

_LOGGER = logging.getLogger(__name__)


class Worker(FaustWorker):
    """A worker that leaves the logging as `investigator.logs` set it up; DEBUG_LEVEL decides, not --loglevel."""

    def _setup_logging(self) -> None:
        self.spinner = None
        if self.redirect_stdouts:
            self._redirect_stdouts()


class worker(faust_worker_command):  # noqa: N801  (the class's name is the command's)
    """Start a worker."""

    def on_worker_created(self, worker: ModeWorker) -> None:
        """Say that it starts by a line of the log, where Faust draws a table."""
        _LOGGER.info("%s starts", worker.shortlabel, extra={"pid": os.getpid()})

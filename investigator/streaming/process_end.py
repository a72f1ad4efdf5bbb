# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a worker that can't continue: one line that says why, and a status at which Kubernetes restarts it."""

import logging
import os
from typing import NoReturn

from investigator.observability import sentry

_LOGGER = logging.getLogger(__name__)

#: The exit status of a worker that ended itself, so that it differs from that of a refused start (1).
EXIT_STATUS = os.EX_SOFTWARE


def end_process(message: str, *values: object) -> NoReturn:
    """Log why the worker ends, and end the process at once; nothing finished is lost, because commits are regular.

    An orderly stop would not do: it waits for tasks, threads and brokers, and one of these is what does not answer.

    Args:
        message: the text of the log line, in the format of `logging`.
        values: the values in it.
    """
    _LOGGER.critical(message, *values)
    sentry.flush()
    logging.shutdown()
    os._exit(EXIT_STATUS)

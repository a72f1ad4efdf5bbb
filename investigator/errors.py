# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of errors that end the start of a worker with one message instead of a traceback."""


class StartupError(Exception):
    """The worker can't start; the text states the reason and the remedy."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the errors that end a start with one message instead of a traceback."""


class StartupError(Exception):
    """The worker can't start; the text says why, and what to do about it."""

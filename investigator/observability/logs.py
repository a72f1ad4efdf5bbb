# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: one line an event, for machines or for people; each line about a message says which; no password ever."""

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO

from investigator.observability.redaction import Redactor
from investigator.settings import Settings

#: These follow DEBUG_LEVEL. Everything else stays at INFO or above: libraries print requests with their parameters
#: and messages with their values at DEBUG.
OWN = ("agents", "investigator")

#: These stay at WARNING: SQLAlchemy prints every statement with its parameters at INFO already.
QUIET = ("sqlalchemy",)

_LOGGER = logging.getLogger(__name__)
_MESSAGE: ContextVar[Mapping[str, object] | None] = ContextVar("message", default=None)
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@contextmanager
def message_context(topic: str, partition: int, offset: int, **more: object) -> Iterator[None]:
    """Say which message the lines that are logged inside are about.

    The context follows into tasks and `asyncio.to_thread`; a thread pool of one's own needs `contextvars.copy_context`.

    Args:
        topic: the message's topic; with partition and offset it names the message.
        partition: the partition.
        offset: the offset.
        more: what else the lines shall carry, such as a correlation id; None is left out.
    """
    fields = {"topic": topic, "partition": partition, "offset": offset, **more}
    token = _MESSAGE.set({name: value for name, value in fields.items() if value is not None})
    try:
        yield
    finally:
        _MESSAGE.reset(token)


class _Formatter(logging.Formatter):
    """What both formats share: time in UTC, the message's context, nothing secret."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def text(self, record: logging.LogRecord) -> str:
        """Give the message; a wrong call of a logger is a fault worth a line, not a lost one."""
        try:
            return self._redact(record.getMessage())
        except (TypeError, ValueError, KeyError):
            return self._redact(f"{record.msg} {record.args}")

    def trace(self, record: logging.LogRecord) -> str:
        """Give the traceback or the stack, or an empty text."""
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
        return self._redact("\n".join(part for part in (trace, record.stack_info) if part))

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Give what belongs to the line beside its text: the message in hand and the caller's `extra`."""
        extra = {name: value for name, value in vars(record).items() if name not in _RESERVED}
        return {name: self._plain(value) for name, value in {**(_MESSAGE.get() or {}), **extra}.items()}

    def _plain(self, value: object) -> object:
        return value if isinstance(value, bool | int | float | None) else self._redact(str(value))


class JsonFormatter(_Formatter):
    """A JSON object a line, with the keys that other components of Thoth use."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        line: dict[str, Any] = {
            **self.fields(record),
            "asctime": self.formatTime(record),
            "levelname": record.levelname,
            "name": record.name,
            "lineno": record.lineno,
            "message": self.text(record),
        }
        if trace := self.trace(record):
            line["exception"] = trace
        return json.dumps(line)


class PlainFormatter(_Formatter):
    """A line for people: time, level, origin, text, then what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        fields = "".join(f" {name}={value}" for name, value in self.fields(record).items())
        head = f"{self.formatTime(record)} {record.levelname:<8} {record.name}: "
        return _one_line(f"{head}{self.text(record)}{fields}\n{self.trace(record)}".rstrip())


def _one_line(text: str) -> str:
    """Keep what a message contains from looking like a line of its own, or from moving the terminal's cursor."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], " | ".join(text.splitlines()))


def set_up(settings: Settings, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Make all loggers of the process write to one place in one format, whatever was set up before.

    Args:
        settings: tell format and level.
        redactor: removes what is secret.
        stream: where to write; standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((PlainFormatter if settings.thoth_logging_no_json else JsonFormatter)(redactor))
    for logger in [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]:
        logger.handlers.clear()
        logger.propagate = True
        # A library that keeps itself quieter than INFO has its reasons: SQLAlchemy logs every statement there.
        logger.setLevel(logger.level if logger.level > logging.INFO else logging.NOTSET)
    level: int = getattr(logging, settings.debug_level)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(level, logging.INFO))
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    _catch_uncaught()


def _catch_uncaught() -> None:
    def log(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        _LOGGER.critical("uncaught", exc_info=(kind, error or kind(), trace))

    sys.excepthook = log
    threading.excepthook = lambda thrown: log(thrown.exc_type, thrown.exc_value, thrown.exc_traceback)

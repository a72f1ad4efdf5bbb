# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: one line per event, as JSON or as plain text, with the message it concerns and without passwords."""

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

from investigator.observability.redaction import CUT, Redactor, cut
from investigator.settings import Settings

#: These loggers follow DEBUG_LEVEL. All others stay at INFO or above: at DEBUG, libraries log requests with their
#: parameters and messages with their values.
OWN = ("agents", "investigator")

#: These loggers stay at WARNING or above: SQLAlchemy logs every statement with its parameters at INFO.
QUIET = ("sqlalchemy",)

_LOGGER = logging.getLogger(__name__)
_MESSAGE: ContextVar[Mapping[str, object] | None] = ContextVar("message", default=None)
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

# Data of messages may be part of a line, and collectors of logs drop or split long lines.
_MAX_TEXT = 4_000
_MAX_FIELD = 1_000
_MAX_TRACE = 12_000


@contextmanager
def message_context(topic: str, partition: int, offset: int, **more: object) -> Iterator[None]:
    """Add the message to every log line that is written inside the context.

    Tasks and `asyncio.to_thread` inherit the context; any other thread pool needs `contextvars.copy_context`.

    Args:
        topic: the full name of the message's topic.
        partition: the partition of the message.
        offset: the offset of the message.
        more: further fields of the log lines, such as a correlation id; None is left out.
    """
    fields = {"topic": topic, "partition": partition, "offset": offset, **more}
    token = _MESSAGE.set({name: value for name, value in fields.items() if value is not None})
    try:
        yield
    finally:
        _MESSAGE.reset(token)


class _Formatter(logging.Formatter):
    """The parts that both formats share: time in UTC, the fields of the message, and redaction."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def text(self, record: logging.LogRecord) -> str:
        """Return the text; where its arguments do not fit its format, return both, so that the line is not lost."""
        try:
            return cut(self._redact(record.getMessage()), _MAX_TEXT)
        except (TypeError, ValueError, KeyError):
            return cut(self._redact(f"{record.msg} {record.args}"), _MAX_TEXT)

    def trace(self, record: logging.LogRecord) -> str:
        """Return the traceback, the stack, or both; an empty text where there is none."""
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
        text = self._redact("\n".join(part for part in (trace, record.stack_info) if part))
        # The end of a traceback says more than its beginning.
        return text if len(text) <= _MAX_TRACE else f"{CUT}{text[-_MAX_TRACE:]}"

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields of the line beside its text: those of the current message and the caller's `extra`."""
        extra = {name: value for name, value in vars(record).items() if name not in _RESERVED}
        return {name: self._plain(value) for name, value in {**(_MESSAGE.get() or {}), **extra}.items()}

    def _plain(self, value: object) -> object:
        return value if isinstance(value, bool | int | float | None) else cut(self._redact(str(value)), _MAX_FIELD)


class JsonFormatter(_Formatter):
    """Formats a line as a JSON object, with the keys that other components of Thoth use."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
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
    """Formats a line as plain text: time, level, logger, text, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = "".join(f" {name}={value}" for name, value in self.fields(record).items())
        head = f"{self.formatTime(record)} {record.levelname:<8} {record.name}: "
        return _one_line(f"{head}{self.text(record)}{fields}\n{self.trace(record)}".rstrip())


def _one_line(text: str) -> str:
    """Escape line breaks and control characters, so that data can neither imitate a line nor control the terminal."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], " | ".join(text.splitlines()))


def set_up(settings: Settings, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Make all loggers of the process write to one stream in one format, and undo earlier configuration.

    Args:
        settings: the format and the level.
        redactor: masks secrets in every line.
        stream: the output; standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((PlainFormatter if settings.thoth_logging_no_json else JsonFormatter)(redactor))
    for logger in [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]:
        logger.handlers.clear()
        logger.propagate = True
        # Keep a level above INFO that a library sets for itself: SQLAlchemy logs every statement at INFO.
        logger.setLevel(logger.level if logger.level > logging.INFO else logging.NOTSET)
    level: int = getattr(logging, settings.debug_level)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(level, logging.INFO))
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    _log_uncaught_exceptions()


def _log_uncaught_exceptions() -> None:
    def log(error_class: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        _LOGGER.critical("Uncaught exception", exc_info=(error_class, error or error_class(), trace))

    sys.excepthook = log
    threading.excepthook = lambda thrown: log(thrown.exc_type, thrown.exc_value, thrown.exc_traceback)

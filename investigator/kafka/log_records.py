# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of the halt log and of the replay log have in common: they are checked before they are believed.

Other producers may write anything into these topics. A record that is not one of ours must end no worker and no
command, so every reader passes over it. The reason names fields and kinds of errors, and never the content, which may
hold secrets.
"""

import logging
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

T = TypeVar("T")

# A worker writes less than 16 KiB: the error is the largest part.
MAX_BYTES = 64 * 1024
_MAX_NAME_CHARACTERS = 1000
_MAX_ERROR_CHARACTERS = 2000

# One producer may write millions of odd records; the first ones are enough to find it.
_MAX_WARNINGS = 20
_MAX_REASONS = 3

_MAX_INT = 2**31 - 1
_MAX_LONG = 2**63 - 1

PartitionNumber = Annotated[int, Field(ge=0, le=_MAX_INT)]
Offset = Annotated[int, Field(ge=0, le=_MAX_LONG)]
# A producer may set any timestamp, and the conversion to seconds and back raises the highest one a little.
TimestampMs = Annotated[int, Field(ge=-2 * _MAX_LONG, le=2 * _MAX_LONG)]
# Up to the year 9999, the last one that a date can have.
Seconds = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=_MAX_INT)]
Name = Annotated[str, Field(max_length=_MAX_NAME_CHARACTERS)]
ErrorText = Annotated[str, Field(max_length=_MAX_ERROR_CHARACTERS)]


class InvalidRecordError(ValueError):
    """A record that no worker or command wrote; the text says why, without its content."""


class StrictModel(BaseModel):
    """A value of exactly the declared types; other fields, as of later versions, are allowed."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def parse(adapter: TypeAdapter[T], content: bytes) -> T:
    """Return the JSON content as the type of the adapter; raise InvalidRecordError if it is not that."""
    if len(content) > MAX_BYTES:
        raise InvalidRecordError(f"{len(content)} bytes, more than {MAX_BYTES}")
    try:
        return adapter.validate_json(content, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        reasons = [f"{'.'.join(map(str, each['loc'])) or 'content'}: {each['type']}" for each in found[:_MAX_REASONS]]
        raise InvalidRecordError(", ".join(reasons)) from None


def writable_name(name: str) -> str:
    """Return a name as `Name` accepts it."""
    return _writable(name, _MAX_NAME_CHARACTERS)


def writable_error(error: str) -> str:
    """Return the text of an error as `ErrorText` accepts it."""
    return _writable(error, _MAX_ERROR_CHARACTERS)


def _writable(text: str, length: int) -> str:
    """Return the text cut to a number of characters, without characters that UTF-8 does not have."""
    return text[:length].encode("utf-8", "replace").decode()


class InvalidRecords:
    """Counts the records that a reader passes over, and warns about the first ones.

    Args:
        log: the kind of log, for the warnings.
        logger: takes the warnings.
        count: called for each such record; None where nothing counts them.
    """

    def __init__(self, log: str, logger: logging.Logger, count: Callable[[], None] | None = None) -> None:
        self._log = log
        self._logger = logger
        self._count = count
        self._warnings = 0

    def add(self, offset: int, error: InvalidRecordError) -> None:
        """Count the record at that offset, which is not valid for that reason."""
        if self._count is not None:
            self._count()
        if self._warnings < _MAX_WARNINGS:
            self._warnings += 1
            last = "; further ones are counted only" if self._warnings == _MAX_WARNINGS else ""
            self._logger.warning(
                "Passed over an invalid record of the %s log%s offset=%d reason=%s", self._log, last, offset, error
            )

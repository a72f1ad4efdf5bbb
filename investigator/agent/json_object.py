# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict JSON: the value of a message becomes an object, at a cost that its size bounds, or it is refused.

Anybody who may write to a topic chooses the values. So each step takes time in proportion to the size of the value, and
the number and depth of the parts are limited before the memory for them is taken.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from investigator.delivery.errors import PermanentError

__all__ = ["MAX_DEPTH", "MAX_PARTS", "MalformedMessageError", "reject_unencodable", "to_json_object"]

# Integers of 64 bits have at most 19 digits. No count, limit or id of a producer is longer.
_MAX_INTEGER_DIGITS = 19

#: How many members of objects and items of lists a value may have in all. In Python each takes up to 250 bytes.
MAX_PARTS = 100_000

#: How deep objects and lists may be nested. Deeper values are attacks; recursive code fails from about 1,000 on.
MAX_DEPTH = 200

_MAX_SHOWN_NAME = 100
_TOO_DEEP = f"the value is nested too deeply: more than {MAX_DEPTH} levels"
_STRING = re.compile(r'"[^"]*"?')
_CONTAINERS = (dict, list)


class MalformedMessageError(PermanentError):
    """The value of a message does not fit its record.

    Attributes:
        field: the path of the first wrong field, None if the error is about no single field.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def to_json_object(value: bytes | None) -> dict[str, Any]:
    """Return the JSON object that the value of a message is; raise MalformedMessageError if it is none."""
    if value is None:
        raise MalformedMessageError("the message has no value (a tombstone)")
    content = _decoded(value)
    if not isinstance(content, dict):
        raise MalformedMessageError(f"the value is not a JSON object but {_json_type(content)}")
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH:
        _limit_depth(content)
    return content


def _decoded(value: bytes) -> object:
    try:
        text = value.decode("utf-8")
        _limit_parts(text)
        return _DECODER.decode(text)
    except UnicodeDecodeError as error:
        # The original errors hold the whole value, which may contain a password, so they must not be chained.
        raise MalformedMessageError(f"the value is not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedMessageError(f"the value is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedMessageError(_TOO_DEEP) from None


def _limit_parts(text: str) -> None:
    if _parts(text) <= MAX_PARTS:
        return
    without_escapes = text.replace("\\\\", "").replace('\\"', "")
    if _parts(_STRING.sub("", without_escapes)) > MAX_PARTS:
        raise MalformedMessageError(f"the value has more than {MAX_PARTS} members and items in all")


def _parts(text: str) -> int:
    """Count the members and items of a JSON text; those of an empty container count as one, as do others in strings."""
    return text.count(",") + text.count("[") + text.count("{")


def _limit_depth(content: dict[str, Any]) -> None:
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        level = [each for container in level for each in _inside(container) if isinstance(each, _CONTAINERS)]
        if not level:
            return
    raise MalformedMessageError(_TOO_DEEP)


def _inside(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)[:_MAX_SHOWN_NAME]
        raise MalformedMessageError(f"the field {twice!r} occurs twice in one object", field=twice)
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedMessageError(f"the value holds {name}, which is not JSON")


def _bounded_integer(digits: str) -> int | float:
    # A field of type int refuses the float, with an error that names the field. Inside an object, where any number is
    # allowed, it is passed on with the precision of a float.
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS + digits.startswith("-") else float(digits)


# Module constants, as building them takes longer than parsing a message.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_int=_bounded_integer)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _json_type(content: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(content), "a number")


def reject_unencodable(fields: dict[str, Any]) -> None:
    """Raise MalformedMessageError for a field that a database or a parameter of a workflow can't hold.

    JSON can express half of a surrogate pair, and a number larger than every float.
    """
    for name, content in fields.items():
        try:
            _ENCODER.encode(content).encode()
        except UnicodeEncodeError:
            raise MalformedMessageError(f"field {name!r}: holds half of a surrogate pair", field=name) from None
        except ValueError:
            raise MalformedMessageError(f"field {name!r}: holds a number that is out of range", field=name) from None

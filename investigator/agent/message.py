# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed records of messages, and the one way from a Kafka value to a record.

Producers send JSON objects. A value is accepted only if every field has the type that its record declares: nothing is
coerced, so that a wrong producer is found at once and never schedules work for a package called ``"3"``.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, NoReturn, TypeVar, cast

import faust
from pydantic import ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, with_config
from typing_extensions import NotRequired, Required, TypedDict

from investigator.delivery.errors import PermanentError
from investigator.kafka.internals import record_options

__all__ = [
    "MalformedMessageError",
    "Message",
    "SecretStr",
    "Text",
    "UnknownVersionError",
    "fields_of",
    "parse",
]

# The longest integers that fit into 64 bits have 19 digits; a longer one is no count, limit or id of any producer.
_MAX_INTEGER_DIGITS = 19

# A list of a million wrong items is one mistake; the error about it has to fit into a log line and a header.
_MAX_PROBLEMS = 5

#: Text without which nothing can be done: the cluster refuses a template whose required parameter is empty.
Text = Annotated[str, Field(min_length=1)]


class MalformedMessageError(PermanentError):
    """The value of a message is not what its record declares; ``field`` names the culprit where one is known."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class UnknownVersionError(PermanentError):
    """No handler knows this version of the message."""

    def __init__(self, base_name: str, version: str) -> None:
        super().__init__(f"no handler for version {version!r} of {base_name}")
        self.version = version


class Message(faust.Record, abstract=True, serializer="json"):
    """What every message of Thoth carries beside its own fields."""

    component_name: str
    service_version: str
    version: str = "v1"

    #: Older names of fields -> names of today.
    aliases: ClassVar[Mapping[str, str]] = {}

    def contents(self, *, without: Iterable[str] = ()) -> dict[str, Any]:
        """Give the message's own fields by name: not those that every message has, nor those that are named here."""
        left_out = {*Message.__annotations__, *without}
        return {name: getattr(self, name) for name in fields_of(type(self)) if name not in left_out}


M = TypeVar("M", bound=Message)


def fields_of(record: type[Message]) -> dict[str, tuple[Any, bool]]:
    """Tell the type of each field of the record and whether it is required."""
    options = record_options(record)
    return {name: (kind, name not in options.defaults) for name, kind in options.fields.items()}


def parse(record: type[M], base_name: str, versions: tuple[str, ...], value: bytes | None) -> M:
    """Turn the value of a Kafka message into a record.

    Null counts as absent for a field that has a default; unknown fields are ignored; an absent version is ``v1``.

    Raises:
        MalformedMessageError: with the field's name, where the value does not fit the record.
        UnknownVersionError: where no handler knows the message's version.
    """
    content = _renamed(_json_object(value), record.aliases)
    version = "v1" if content.get("version") is None else content["version"]
    if isinstance(version, str) and version not in versions:
        raise UnknownVersionError(base_name, version)
    return record(**_checked(record, content))


def _json_object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise MalformedMessageError("the message has no value (a tombstone)")
    try:
        content = _DECODER.decode(value.decode("utf-8"))
    except UnicodeDecodeError as error:
        # Its representation holds the whole value, and that perhaps a password: it stays out of the chain.
        raise MalformedMessageError(f"the value is not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedMessageError(f"the value is not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise MalformedMessageError("the value is nested too deeply") from error
    if not isinstance(content, dict):
        raise MalformedMessageError(f"the value is not a JSON object but {_json_type(content)}")
    return content


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedMessageError(f"the field {twice!r} stands twice in one object", field=twice)
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedMessageError(f"the value holds {name}, which is not JSON")


def _bounded_integer(digits: str) -> int | float:
    # An integer field refuses a float by name; elsewhere a number of that size is none of our business.
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS + digits.startswith("-") else float(digits)


# Made once: making them takes longer than reading a message.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_int=_bounded_integer)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _json_type(content: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(content), "a number")


def _renamed(content: dict[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    for old, new in aliases.items():
        if content.get(new) is None and old in content:
            content[new] = content[old]
    return content


def _checked(record: type[Message], content: dict[str, Any]) -> dict[str, Any]:
    shape = _validator(record)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    given = {
        name: content[name]
        for name, required in shape.required.items()
        if name in content and (required or content[name] is not None)
    }
    try:
        fields = shape.validator.validate_python(given)
    except ValidationError as error:
        raise _malformed(error) from None
    _reject_unencodable(given)
    return fields


def _malformed(error: ValidationError) -> MalformedMessageError:
    # Only place and rule: the offending value may be a password.
    problems = [
        (".".join(str(part) for part in problem["loc"]), problem["msg"])
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    told = "; ".join(f"field {name!r}: {rule}" for name, rule in problems[:_MAX_PROBLEMS])
    untold = len(problems) - _MAX_PROBLEMS
    return MalformedMessageError(told + (f"; and {untold} more" if untold > 0 else ""), field=problems[0][0])


def _reject_unencodable(given: dict[str, Any]) -> None:
    # Half of a surrogate pair and a number beyond every float can be spelt in JSON, but neither a database nor a
    # workflow's parameters can hold them.
    for name, content in given.items():
        try:
            _ENCODER.encode(content).encode()
        except UnicodeEncodeError:
            raise MalformedMessageError(f"field {name!r}: holds half of a surrogate pair", field=name) from None
        except ValueError:
            raise MalformedMessageError(f"field {name!r}: holds a number that is out of range", field=name) from None
        except RecursionError:
            raise MalformedMessageError(f"field {name!r}: is nested too deeply", field=name) from None


class _Validator(NamedTuple):
    required: dict[str, bool]  # for each field
    validator: TypeAdapter[dict[str, Any]]


@cache
def _validator(record: type[Any]) -> _Validator:
    fields = {
        name: Required[kind] if required else NotRequired[kind] for name, (kind, required) in fields_of(record).items()
    }
    shape = TypedDict(record.__name__, fields)  # type: ignore[misc]  # a shape known only at run time
    strictly = with_config(ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True))
    validator = cast("TypeAdapter[dict[str, Any]]", TypeAdapter(strictly(shape)))
    return _Validator({name: required for name, (_, required) in fields_of(record).items()}, validator)

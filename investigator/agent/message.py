# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of records, and the parsing of Kafka values into records.

Producers send JSON objects. A value is accepted only if every field has exactly the type that its record declares.
Nothing is coerced: a wrong producer is noticed at once, and never schedules workflows for a package called ``"3"``.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

import faust
from pydantic import ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, with_config
from pydantic_core import SchemaValidator
from typing_extensions import NotRequired, Required, TypedDict

from investigator.agent.json_object import MalformedMessageError, reject_unencodable, to_json_object
from investigator.delivery.errors import PermanentError
from investigator.kafka.internals import record_options
from investigator.observability.redaction import MAX_SECRET_LENGTH

__all__ = [
    "MalformedMessageError",
    "Message",
    "SecretStr",
    "Text",
    "UnknownVersionError",
    "Unused",
    "fields_of",
    "parse",
]

# A record may have many wrong fields; the error has to fit into a log line and a header.
_MAX_PROBLEMS = 5
_MAX_SHOWN_VERSION = 100

#: A text that is not empty. The cluster refuses a template whose required parameter is empty.
Text = Annotated[str, Field(min_length=1)]

#: A field that no handler uses. It takes any value: a producer's mistake there hinders nothing.
Unused = Any


class UnknownVersionError(PermanentError):
    """No handler knows the version of a message."""

    def __init__(self, base_name: str, version: str) -> None:
        super().__init__(f"no handler for version {version[:_MAX_SHOWN_VERSION]!r} of {base_name}")
        self.version = version


class Message(faust.Record, abstract=True, serializer="json"):
    """The base class of records, with the fields that every message of Thoth has."""

    component_name: str
    service_version: str
    version: str = "v1"

    #: The current name of each older field name.
    aliases: ClassVar[Mapping[str, str]] = {}

    def own_fields(self, *, without: Iterable[str] = ()) -> dict[str, Any]:
        """Return the message's own fields by name: neither those that every message has, nor those in `without`."""
        excluded = {*Message.__annotations__, *without}
        return {name: getattr(self, name) for name in fields_of(type(self)) if name not in excluded}


M = TypeVar("M", bound=Message)


def fields_of(record: type[Message]) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of the record, and whether the field is required."""
    options = record_options(record)
    return {name: (kind, name not in options.defaults) for name, kind in options.fields.items()}


def parse(record: type[M], base_name: str, versions: tuple[str, ...], value: bytes | None) -> M:
    """Parse the value of a Kafka message into a record.

    Null in a field with a default counts as absent. Unknown fields are ignored. An absent version is ``v1``.

    Args:
        record: the class of the record.
        base_name: the type of the message, for errors.
        versions: the versions that the handlers know.
        value: the value, None for a tombstone.

    Raises:
        MalformedMessageError: the value does not fit the record.
        UnknownVersionError: no handler knows the version.
    """
    content = _apply_aliases(to_json_object(value), record.aliases)
    version = "v1" if content.get("version") is None else content["version"]
    if isinstance(version, str) and version not in versions:
        raise UnknownVersionError(base_name, version)
    return record(**_validate(record, content))


def _apply_aliases(content: dict[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    for old, new in aliases.items():
        if content.get(new) is None and old in content:
            content[new] = content[old]
    return content


def _validate(record: type[Message], content: dict[str, Any]) -> dict[str, Any]:
    fields = _validator(record)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    given = {
        name: content[name]
        for name, required in fields.required.items()
        if name in content and (required or content[name] is not None)
    }
    try:
        validated: dict[str, Any] = fields.validator.validate_python(given)
    except ValidationError as error:
        raise _malformed(error) from None
    reject_unencodable(given)
    _refuse_long_secrets(validated)
    return validated


def _refuse_long_secrets(fields: dict[str, Any]) -> None:
    # The redactor holds every spelling of a secret for as long as its message is in flight.
    for name, content in fields.items():
        if isinstance(content, SecretStr) and len(content) > MAX_SECRET_LENGTH:
            rule = f"should have at most {MAX_SECRET_LENGTH} characters"
            raise MalformedMessageError(f"field {name!r}: {rule}", field=name)


def _malformed(error: ValidationError) -> MalformedMessageError:
    # Path and rule only: the value may be a password.
    problems = [
        (".".join(str(part) for part in problem["loc"]), problem["msg"])
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    shown = "; ".join(f"field {name!r}: {rule}" for name, rule in problems[:_MAX_PROBLEMS])
    hidden = len(problems) - _MAX_PROBLEMS
    return MalformedMessageError(shown + (f"; and {hidden} more" if hidden > 0 else ""), field=problems[0][0])


class _Validator(NamedTuple):
    required: dict[str, bool]  # by field name
    validator: SchemaValidator


@cache
def _validator(record: type[Any]) -> _Validator:
    fields = {
        name: Required[kind] if required else NotRequired[kind] for name, (kind, required) in fields_of(record).items()
    }
    typed_dict = TypedDict(record.__name__, fields)  # type: ignore[misc]  # its fields are known only at run time
    strictly = with_config(ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True))
    schema = TypeAdapter(strictly(typed_dict)).core_schema
    required = {name: required for name, (_, required) in fields_of(record).items()}
    return _Validator(required, SchemaValidator(_stopping_at_first_item(schema)))


def _stopping_at_first_item(schema: Any) -> Any:  # noqa: ANN401  a schema is nested dictionaries and lists of anything
    """Return the schema with lists that are left at their first wrong item: they may have 100,000 of them."""
    if isinstance(schema, list):
        return [_stopping_at_first_item(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    stop = {"fail_fast": True} if schema.get("type") == "list" else {}
    return {key: _stopping_at_first_item(each) for key, each in schema.items()} | stop

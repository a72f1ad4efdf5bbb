# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of all settings, derived from their fields, for the documentation and for error messages."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from investigator.settings.model import GROUPS
from investigator.settings.types import Format, Unit


@dataclass(frozen=True)
class Setting:
    """One setting as the documentation and error messages describe it."""

    name: str
    section: str
    form: str
    unit: str
    default: str
    required: bool
    secret: bool
    purpose: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.name.upper()


@cache
def reference() -> tuple[Setting, ...]:
    """Return all settings in the order of the documentation."""
    return tuple(
        _setting((group.__doc__ or "").rstrip("."), name, field)
        for group in GROUPS
        for name, field in group.model_fields.items()
    )


def _setting(section: str, name: str, field: FieldInfo) -> Setting:
    metadata = [*field.metadata, *_metadata(field.annotation)]
    return Setting(
        name=name,
        section=section,
        form=next((each.text for each in metadata if isinstance(each, Format)), _default_form(field.annotation)),
        unit=next((each.text for each in metadata if isinstance(each, Unit)), ""),
        default="" if field.is_required() else _text(field.default),
        required=field.is_required(),
        secret=SecretStr in _types(field.annotation),
        purpose=" ".join((field.description or "").split()),
    )


def _metadata(annotation: Any) -> list[object]:  # noqa: ANN401  (annotations have no common type)
    """Return the metadata of an annotated type, and of the types inside it, such as the members of a union."""
    own = list(getattr(annotation, "__metadata__", ()))
    return own + [each for inner in get_args(annotation) for each in _metadata(inner)]


def _types(annotation: Any) -> set[object]:  # noqa: ANN401  (annotations have no common type)
    return {annotation}.union(*(_types(inner) for inner in get_args(annotation)))


def _default_form(annotation: Any) -> str:  # noqa: ANN401  (annotations have no common type)
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(annotation)))}"
    forms = [_default_form(inner) for inner in get_args(annotation) if inner is not type(None)]
    return forms[0] if forms else {bool: "true or false"}.get(annotation, "text")


def _text(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()  # a default is public
    if isinstance(default, tuple):
        return json.dumps([_text(each) for each in default])
    return str(int(default) if isinstance(default, bool) else getattr(default, "value", default))

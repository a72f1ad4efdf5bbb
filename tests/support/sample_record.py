# SPDX-License-Identifier: GPL-3.0-or-later
"""A record with a field of every kind, to be read from what a producer might send."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from typing_extensions import TypedDict

from investigator.agent.message import Message, SecretStr, Text, parse
from investigator.delivery.errors import PermanentError


class Lock(TypedDict, total=False):
    """An object with fields of its own."""

    key: int | None


class Door(Message, serializer="json"):
    """A record with a field of every kind that the messages of Thoth have."""

    name: Text
    wide: bool = False
    doors: int | None = None
    tags: list[str] = []  # noqa: RUF012  (a Faust record copies no default, and nobody changes this one)
    lock: Lock | None = None
    extras: dict[str, Any] | None = None
    code: SecretStr | None = None

    aliases: ClassVar[Mapping[str, str]] = {"label": "name"}


WHOLE = {
    "component_name": "house",
    "service_version": "1.2.3",
    "version": "v2",
    "name": "front",
    "wide": True,
    "doors": 2,
    "tags": ["oak", "old"],
    "lock": {"key": 7},
    "extras": {"any": [1, None, {"thing": 1.5}]},
    "code": "open sesame",
}
LEAST = {"component_name": "house", "service_version": "1.2.3", "name": "front"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(content: Any) -> Door:  # noqa: ANN401  (any JSON value)
    """Parse a value, or any JSON content, as a door."""
    value = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse(Door, "house.door", ("v1", "v2"), value)


def refusal(content: Any) -> PermanentError:  # noqa: ANN401  (any JSON value)
    """Parse what must be refused, and give the error."""
    with pytest.raises(PermanentError) as caught:
        read(content)
    return caught.value

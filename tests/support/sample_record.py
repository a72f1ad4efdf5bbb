# SPDX-License-Identifier: GPL-3.0-or-later
"""A record with a field of every type that messages have, and valid values for it."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from typing_extensions import TypedDict

from investigator.agent.message import Message, SecretStr, Text, parse
from investigator.delivery.errors import PermanentError


class Limits(TypedDict, total=False):
    """An object with declared fields."""

    memory: int | None


class Sample(Message, serializer="json"):
    """A record with a field of every type that the messages of Thoth have."""

    name: Text
    debug: bool = False
    count: int | None = None
    tags: list[str] = []  # noqa: RUF012  (a Faust record does not copy the default, and no code changes this one)
    limits: Limits | None = None
    extras: dict[str, Any] | None = None
    password: SecretStr | None = None

    aliases: ClassVar[Mapping[str, str]] = {"label": "name"}


ALL_FIELDS = {
    "component_name": "tester",
    "service_version": "1.2.3",
    "version": "v2",
    "name": "flask",
    "debug": True,
    "count": 2,
    "tags": ["web", "wsgi"],
    "limits": {"memory": 7},
    "extras": {"any": [1, None, {"thing": 1.5}]},
    "password": "open sesame",
}
REQUIRED_FIELDS = {"component_name": "tester", "service_version": "1.2.3", "name": "flask"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(content: Any) -> Sample:  # noqa: ANN401  (any JSON value)
    """Parse bytes, or any JSON value, as a sample."""
    value = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse(Sample, "test.sample", ("v1", "v2"), value)


def refusal(content: Any) -> PermanentError:  # noqa: ANN401  (any JSON value)
    """Parse bytes or a JSON value that must be refused, and return the error."""
    with pytest.raises(PermanentError) as caught:
        read(content)
    return caught.value

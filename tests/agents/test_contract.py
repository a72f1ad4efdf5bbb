# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
from typing_extensions import is_typeddict

from investigator.agent import Mode, SecretStr, Unused
from investigator.agent.message import Message, fields_of
from investigator.message_types import load_message_types
from tests.support.message_contract import CONTRACT, Row

MESSAGE_TYPES = load_message_types()
MODES = {Mode.MIDDLETIER: "M", Mode.BACKEND: "B", Mode.METRICS: "X"}
PASSWORDS = {"registry_password", "base_registry_password", "output_registry_password"}


def notation(record: type[Message]) -> str:
    """Return the own fields of a record in the notation of the contract."""
    defaults = {name: default for name, default in record._options.defaults.items() if default is not None}
    return ", ".join(
        _field(name, kind, "" if required else f"={str(defaults[name]).lower()}" if name in defaults else "?")
        for name, (kind, required) in fields_of(record).items()
        if name not in {"component_name", "service_version", "version"}
    )


def _field(name: str, kind: object, rest: str) -> str:
    kind_name = _kind(kind)
    return f"{name}{rest}" if kind_name == "str" else f"{name}: {kind_name}{rest}"


def _kind(kind: object) -> str:
    without_none = [part for part in getattr(kind, "__args__", ()) if part is not type(None)]
    if kind is Unused:
        return "any"
    if is_typeddict(kind):
        return "{" + ", ".join(_field(name, of, "?") for name, of in kind.__annotations__.items()) + "}"
    if getattr(kind, "__origin__", None) is list:
        return f"[{_kind(without_none[0])}]"
    if getattr(kind, "__origin__", None) is dict:
        return "object"
    if kind is SecretStr:
        return "str"
    if (plain := getattr(kind, "__origin__", None)) in (str, int):  # an annotated text or number
        kind = plain
    return kind.__name__ if isinstance(kind, type) else _kind(without_none[0])


def test_every_message_type_of_the_contract_is_registered() -> None:
    """Types that the contract does not name may be registered too."""
    assert CONTRACT
    assert CONTRACT.keys() <= MESSAGE_TYPES.keys()


@pytest.mark.parametrize("base_name", CONTRACT)
def test_a_message_type_has_the_fields_versions_and_modes_of_the_contract(base_name: str) -> None:
    """Producers depend on every name, type, default and version here."""
    message_type = MESSAGE_TYPES[base_name]
    modes = tuple(letter for mode, letter in MODES.items() if mode in message_type.handlers)

    assert Row(notation(message_type.record), message_type.versions, modes) == CONTRACT[base_name]


def test_fields_with_passwords_are_secrets() -> None:
    """A password in a plain text field would appear in the first log line about its record."""
    secrets = {
        name
        for message_type in MESSAGE_TYPES.values()
        for name, (kind, _) in fields_of(message_type.record).items()
        if SecretStr in getattr(kind, "__args__", (kind,))
    }

    assert secrets >= PASSWORDS

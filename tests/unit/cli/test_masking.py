# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.cli.masking import Masking, printable
from investigator.observability.redaction import Redactor

SECRET = 'hunter2 & "more"'


@pytest.fixture
def redactor() -> Redactor:
    """Knows nothing yet."""
    return Redactor()


@pytest.fixture
def mask(redactor: Redactor) -> Masking:
    """Knows one field that holds a password."""
    return Masking({"registry_password"}, redactor)


def test_the_fields_that_records_declare_as_secret_are_masked(mask: Masking) -> None:
    """Everything else is shown."""
    shown = json.loads(mask(json.dumps({"image": "quay.io/a", "registry_password": SECRET}).encode()) or "")
    assert shown == {"image": "quay.io/a", "registry_password": "***"}


def test_an_absent_password_is_shown_as_absent(mask: Masking) -> None:
    """Whether one was sent is often what an operator wants to know."""
    assert json.loads(mask(b'{"registry_password": null}') or "") == {"registry_password": None}


@pytest.mark.parametrize("name", ["Password", "old_passwd", "api_token", "client_secret", "credentials"])
def test_what_is_called_like_a_secret_is_masked_anywhere(mask: Masking, name: str) -> None:
    """A message that no record fits may hold one under any name, at any depth."""
    value = json.dumps([{"deep": {name: {"inner": SECRET}}}]).encode()
    assert "hunter2" not in (mask(value) or "")


@pytest.mark.parametrize(
    "text",
    [
        '{"image": "a", "registry_password": "hunter2"',
        "registry_password=hunter2&image=a",
        "{'registry_password': 'hunter2', 'image': 'a'}",
        "registry_password: hunter2\nimage: a",
        '{"registry_password": "hunter2"}\xff',
    ],
)
def test_a_value_that_is_no_json_is_masked_too(mask: Masking, text: str) -> None:
    """What can not be parsed is what ends as a dead letter."""
    shown = mask(text.encode("latin-1"))
    assert shown
    assert "hunter2" not in shown
    assert "***" in shown


def test_a_password_that_was_found_is_kept_out_of_errors_too(mask: Masking, redactor: Redactor) -> None:
    """The error of a call may quote what it was given."""
    mask(json.dumps({"registry_password": SECRET}).encode())
    assert redactor(f"login with {SECRET} failed") == "login with *** failed"
    assert mask.everywhere({"error": [1], "text": f"a {SECRET}"}) == {"error": [1], "text": "a ***"}


def test_a_tombstone_has_no_text(mask: Masking) -> None:
    """It is told apart from an empty value."""
    assert mask(None) is None
    assert mask(b"") == ""


@pytest.mark.parametrize("value", [b"[" * 100_000, b'{"a":' * 100_000])
def test_a_value_nested_beyond_reason_is_shown_as_it_is(mask: Masking, value: bytes) -> None:
    """It must not end the command."""
    assert mask(value) == value.decode()


def test_what_is_printed_stays_on_its_line() -> None:
    """Neither line breaks nor the terminal's commands get through."""
    assert printable("a\nb\x1b[2J\u202ec") == "a\\nb\\x1b[2J\\u202ec"

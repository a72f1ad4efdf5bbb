# SPDX-License-Identifier: GPL-3.0-or-later
import json
import time

import pytest

from investigator.cli.masking import Masking, printable
from investigator.observability.redaction import Redactor

SECRET = 'hunter2 & "more"'


@pytest.fixture
def redactor() -> Redactor:
    """A redactor without any known secret."""
    return Redactor()


@pytest.fixture
def mask(redactor: Redactor) -> Masking:
    """A masking with one field that holds a password."""
    return Masking({"registry_password"}, redactor)


def test_declared_secret_fields_are_masked_and_the_others_are_shown(mask: Masking) -> None:
    """A record declares which of its fields are secret."""
    shown = json.loads(mask(json.dumps({"image": "quay.io/a", "registry_password": SECRET}).encode()) or "")
    assert shown == {"image": "quay.io/a", "registry_password": "***"}


def test_a_null_password_is_shown_as_null(mask: Masking) -> None:
    """An operator often has to know whether a password was sent."""
    assert json.loads(mask(b'{"registry_password": null}') or "") == {"registry_password": None}


@pytest.mark.parametrize("name", ["Password", "old_passwd", "api_token", "client_secret", "credentials"])
def test_a_field_with_the_name_of_a_secret_is_masked_at_any_depth(mask: Masking, name: str) -> None:
    """A malformed message may contain a password under an undeclared name."""
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
def test_a_value_that_is_not_json_is_masked_too(mask: Masking, text: str) -> None:
    """Many dead letters are messages that cannot be parsed."""
    shown = mask(text.encode("latin-1"))
    assert shown
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        '{"registry_password": "correct hunter2 battery staple", "image": ',
        '{"registry_password": "correct hunter2 battery staple',
        '{"registry_password": "correct, \\"hunter2\\" battery; staple", "image": ',
        "{'registry_password': 'correct \\'hunter2\\' staple'",
        '{"inner": "{\\"registry_password\\": \\"correct hunter2 staple\\"}", ',
        "registry_password = correct hunter2 staple; image = a",
        '{"authorization": "Bearer hunter2",',
        "Authorization: Bearer hunter2",
        '{"api_key": "a hunter2",',
        '{"X-Api-Key": "a hunter2",',
        '{"index_url": "https://bot:hunter2@host/simple", ',
        "https://hunter2@host/",
    ],
)
def test_a_secret_in_a_text_that_was_cut_off_is_masked_to_its_end(mask: Masking, text: str) -> None:
    """Quotes, blanks and separators may be parts of a password."""
    shown = mask(text.encode())
    assert shown
    assert "hunter2" not in shown
    assert "staple" not in shown
    assert "battery" not in shown


@pytest.mark.parametrize("name", ["authorization", "Api-Key", "private_key", "cookie", "x-token"])
def test_a_header_with_the_name_of_a_secret_is_masked(mask: Masking, name: str) -> None:
    """Producers and proxies pass logins on in headers."""
    assert mask.header(name, "hunter2") == "***"
    assert mask.header("trace", f"{name}: hunter2") == f"{name}: ***"
    assert mask.header("trace", "00-abc") == "00-abc"


UNITS = [
    b"token",
    b'token"',
    b"token=",
    b'token="',
    b"token='",
    b'"token": ',
    b"token = \\",
    b"apikey",
    b'\\"',
    b"a" * 30,
]


@pytest.mark.parametrize("unit", UNITS)
def test_masking_takes_time_in_proportion_to_the_value(mask: Masking, unit: bytes) -> None:
    """An operator must be able to look at every dead letter."""
    before = time.process_time()
    mask(unit * (200_000 // len(unit)))
    assert time.process_time() - before < 10


def test_a_password_found_in_a_value_is_masked_in_errors_too(mask: Masking, redactor: Redactor) -> None:
    """The error of a call may quote the parameters of the call."""
    mask(json.dumps({"registry_password": SECRET}).encode())
    assert redactor(f"login with {SECRET} failed") == "login with *** failed"
    assert mask.everywhere({"error": [1], "text": f"a {SECRET}"}) == {"error": [1], "text": "a ***"}


def test_a_tombstone_has_no_text(mask: Masking) -> None:
    """The output distinguishes it from an empty value."""
    assert mask(None) is None
    assert mask(b"") == ""


@pytest.mark.parametrize("value", [b"[" * 100_000, b'{"a":' * 100_000])
def test_a_value_nested_too_deeply_to_parse_is_shown_unchanged(mask: Masking, value: bytes) -> None:
    """The command must not fail on it."""
    assert mask(value) == value.decode()


def test_printable_text_has_no_line_breaks_or_control_characters() -> None:
    """A message must not control the terminal of an operator."""
    assert printable("a\nb\x1b[2J\u202ec") == "a\\nb\\x1b[2J\\u202ec"

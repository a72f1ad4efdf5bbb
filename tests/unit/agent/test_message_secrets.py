# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of messages appear in no error and in no representation."""

import json
import traceback

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from investigator.agent.message import SecretStr
from investigator.delivery.errors import PermanentError
from investigator.settings.secrets import secret_value
from tests.support.sample_record import ALL_FIELDS, REQUIRED_FIELDS, json_values, read, refusal


@given(
    st.text(alphabet="abcdefgh0123456789", min_size=12),
    st.sampled_from([key for key in ALL_FIELDS if key != "password"]),
    json_values,
)
def test_no_error_and_no_record_shows_a_password(password: str, field: str, content: object) -> None:
    """Logs and pages contain the texts of both."""
    assume(password not in repr(content))
    try:
        shown = repr(read({**ALL_FIELDS, "password": password, field: content}))
    except PermanentError as error:
        shown = f"{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    assert password not in shown


@pytest.mark.parametrize("password", [["pass", "word"], {"text": "password"}, 1234567890123])
def test_the_error_about_a_password_of_a_wrong_type_does_not_show_it(password: object) -> None:
    """It names the field and the rule only."""
    assert str(refusal({**ALL_FIELDS, "password": password})) == "field 'password': Input should be a valid string"


@pytest.mark.parametrize("damage", [b"\xff", b",,", b"\x00", b"[" * 100_000, b"NaN", b'"name": 1, "name": 2'])
def test_no_error_about_damaged_json_shows_a_password(damage: bytes) -> None:
    """Neither does any error in its chain."""
    value = json.dumps({"password": "open sesame", **REQUIRED_FIELDS}).encode()

    error = refusal(value[:-1] + b"," + damage + b"}")

    assert "sesame" not in "".join(traceback.format_exception(error))
    assert "sesame" not in repr((error, error.__cause__))


def test_the_value_of_an_absent_secret_is_none() -> None:
    """Handlers pass optional passwords on without a check."""
    assert secret_value(None) is None
    assert secret_value(SecretStr("open sesame")) == "open sesame"

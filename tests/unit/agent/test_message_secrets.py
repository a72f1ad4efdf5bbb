# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords in messages show nowhere, however wrong the rest is."""

import json
import traceback

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from investigator.agent.message import SecretStr
from investigator.delivery.errors import PermanentError
from investigator.settings.secrets import secret_value
from tests.support.sample_record import LEAST, WHOLE, json_values, read, refusal


@given(
    st.text(alphabet="abcdefgh0123456789", min_size=12),
    st.sampled_from([key for key in WHOLE if key != "code"]),
    json_values,
)
def test_no_password_shows_in_an_error_or_a_record(password: str, field: str, content: object) -> None:
    """Whether the message is accepted or refused, its password is in no text that may reach a log or a page."""
    assume(password not in repr(content))
    try:
        shown = repr(read({**WHOLE, "code": password, field: content}))
    except PermanentError as error:
        shown = f"{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    assert password not in shown


@pytest.mark.parametrize("password", [["pass", "word"], {"text": "password"}, 1234567890123])
def test_a_password_of_a_wrong_type_does_not_show_either(password: object) -> None:
    """The error names the field and the rule, never the value."""
    assert str(refusal({**WHOLE, "code": password})) == "field 'code': Input should be a valid string"


@pytest.mark.parametrize("damage", [b"\xff", b",,", b"\x00", b"[" * 100_000, b"NaN", b'"name": 1, "name": 2'])
def test_no_password_shows_where_the_value_is_damaged(damage: bytes) -> None:
    """Nor is it in anything that the chain of an error about the whole value shows."""
    value = json.dumps({"code": "open sesame", **LEAST}).encode()

    error = refusal(value[:-1] + b"," + damage + b"}")

    assert "sesame" not in "".join(traceback.format_exception(error))
    assert "sesame" not in repr((error, error.__cause__))


def test_an_absent_secret_reveals_none() -> None:
    """The one way to a secret's text copes with a message that has no secret."""
    assert secret_value(None) is None
    assert secret_value(SecretStr("open sesame")) == "open sesame"

# SPDX-License-Identifier: GPL-3.0-or-later
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from investigator.observability.redaction import MASK, Redactor

SECRETS = ["hunter2hunter2", 'with "quotes" and \\', "päßwörd ☃ 😀", "a b&c/d+e%f", "it's", "line\nbreak\t"]

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON without escapes": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON inside JSON": lambda secret: json.dumps({"parameters": json.dumps({"password": secret})}),
    "part of a URL": lambda secret: f"https://user:{quote(secret, safe='')}@registry.example.com/",
    "query": lambda secret: f"?password={quote_plus(secret)}",
    "representation": repr,
    "representation of a record": lambda secret: repr({"password": secret, "quote": "it's"}),
    "representation of bytes": lambda secret: repr(secret.encode()),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_removed_in_every_form_that_texts_hold_it_in(secret: str, form: str) -> None:
    """Requests, errors and representations spell a password differently; none of the spellings shows."""
    text = Redactor([secret])(f"before {FORMS[form](secret)} after")
    assert MASK in text
    assert FORMS[form](secret).strip("\"'b") not in text
    assert secret not in text
    assert text.startswith("before")
    assert text.endswith("after")


@given(st.lists(st.text(min_size=4).filter(str.strip), min_size=1, max_size=5), st.text(), st.text())
def test_no_secret_is_left_whatever_else_is_secret_or_around_it(secrets: list[str], before: str, after: str) -> None:
    """A secret that contains another one, or that the mask completes by chance, is removed as well."""
    redactor = Redactor(secrets)
    for secret in secrets:
        pieces = redactor(before + secret + after).split(MASK)
        assert len(pieces) > 1
        assert not any(other in piece for piece in pieces for other in secrets)


def test_a_longer_secret_is_removed_whole_though_it_contains_a_shorter_one() -> None:
    """Removing the short one first would leave the rest of the long one in sight."""
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_short_secret_is_removed_where_it_stands_alone() -> None:
    """A password of one letter must not show, and must not make every log unreadable either."""
    assert Redactor(["a"])('a quota of "a" is password=a') == f'{MASK} quota of "{MASK}" is password={MASK}'


def test_secrets_of_messages_are_learnt_and_the_oldest_forgotten() -> None:
    """Memory is bounded however many messages bring passwords; the settings' passwords are never forgotten."""
    redactor = Redactor(["permanent"], remembered=2)
    for secret in ("first-secret", "second-secret", "first-secret", "third-secret"):
        redactor.learn(secret)
    assert redactor("permanent first-secret second-secret third-secret") == f"{MASK} {MASK} second-secret {MASK}"


def test_the_secret_fields_of_a_message_are_learnt() -> None:
    """Whatever handles a message may log, and its passwords never show."""

    class Extract:
        def __init__(self) -> None:
            self.image = "quay.io/thoth-station/s2i"
            self.registry_password = SecretStr("hunter2")

    redactor = Redactor()
    redactor.learn_from(Extract())
    assert redactor("quay.io/thoth-station/s2i hunter2") == f"quay.io/thoth-station/s2i {MASK}"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_empty_secret_changes_nothing(nothing: str | None) -> None:
    """An unset password is no password."""
    redactor = Redactor()
    redactor.learn(nothing)
    assert redactor("a b") == "a b"

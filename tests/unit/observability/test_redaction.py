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
def test_a_secret_is_removed_in_every_spelling(secret: str, form: str) -> None:
    """Requests, errors and repr() spell a password differently."""
    text = Redactor([secret])(f"before {FORMS[form](secret)} after")
    assert MASK in text
    assert FORMS[form](secret).strip("\"'b") not in text
    assert secret not in text
    assert text.startswith("before")
    assert text.endswith("after")


@given(st.lists(st.text(min_size=4).filter(str.strip), min_size=1, max_size=5), st.text(), st.text())
def test_no_secret_remains_next_to_other_secrets_or_text(secrets: list[str], before: str, after: str) -> None:
    """A secret is removed also where it contains another one, or where a mask completes it by chance."""
    redactor = Redactor(secrets)
    for secret in secrets:
        pieces = redactor(before + secret + after).split(MASK)
        assert len(pieces) > 1
        assert not any(other in piece for piece in pieces for other in secrets)


def test_a_secret_that_contains_a_shorter_one_is_removed_completely() -> None:
    """If the short one were removed first, the rest of the long one would remain."""
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_short_secret_is_removed_as_a_separate_word_only() -> None:
    """A password of one letter must not show, and must not make every log unreadable."""
    assert Redactor(["a"])('a quota of "a" is password=a') == f'{MASK} quota of "{MASK}" is password={MASK}'


def test_only_the_latest_secrets_of_messages_are_remembered() -> None:
    """Memory is bounded for any number of messages; passwords of the settings are never forgotten."""
    redactor = Redactor(["permanent"], remembered=2)
    for secret in ("first-secret", "second-secret", "first-secret", "third-secret"):
        redactor.learn(secret)
    assert redactor("permanent first-secret second-secret third-secret") == f"{MASK} {MASK} second-secret {MASK}"


def test_the_secret_fields_of_a_message_are_learnt() -> None:
    """A handler may log any field of its message without showing a password."""

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

# SPDX-License-Identifier: GPL-3.0-or-later
import json
import time
import tracemalloc
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


def test_only_the_latest_secrets_are_remembered() -> None:
    """Memory is bounded for any number of messages; passwords of the settings are never forgotten."""
    redactor = Redactor(["permanent"], remembered=30)
    for secret in ("first-secret", "second-secret", "first-secret", "third-secret"):
        redactor.learn(secret)
    assert redactor("permanent first-secret second-secret third-secret") == f"{MASK} {MASK} second-secret {MASK}"


class Extract:
    """A record with a password."""

    def __init__(self, password: str) -> None:
        self.image = "quay.io/thoth-station/s2i"
        self.registry_password = SecretStr(password)


def test_a_password_is_masked_for_as_long_as_its_message_is_in_flight() -> None:
    """A message may wait for days, while thousands of others with passwords are handled."""
    redactor = Redactor(remembered=1_000)
    waiting = Extract("the-one-that-waits")
    redactor.learn_from(waiting)
    for number in range(2_000):
        redactor.learn_from(Extract(f"password-{number}"))
    assert redactor("the-one-that-waits password-1999") == f"{MASK} {MASK}"
    assert redactor("password-0") == "password-0"
    del waiting
    for number in range(200):
        redactor.learn_from(Extract(f"another-{number}"))
    assert redactor("the-one-that-waits") == "the-one-that-waits"


def test_the_memory_for_passwords_is_bounded_in_bytes() -> None:
    """Each password may be as long as a message, and its spellings take ten times as much."""
    redactor = Redactor()
    tracemalloc.start()
    for number in range(30):
        redactor.learn_from(Extract(f"{number}" + "\u2603" * 500_000))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 16 * 1024 * 1024


URLS = {
    "https://bot:hunter2@index.example.com/simple": "https://***@index.example.com/simple",
    "docker://hunter2@registry/image": "docker://***@registry/image",
    "git+ssh://git:hunter2@host:22/x": "git+ssh://***@host:22/x",
    "https://bot:hun@ter2@host": "https://***@host",
    "https://bot:?hunter2#@host/": "https://***@host/",
    r"https:\/\/bot:hunter2@host\/simple": r"https:\/\/***@host\/simple",
    r'"https://bot:hun\"ter2@host"': '"https://***@host"',
    "url=https%3A%2F%2Fbot%3Ahunter2%40host%2Fsimple": "url=https%3A%2F%2F***@host%2Fsimple",
    "//bot:hunter2@host/": "//***@host/",
    "https://host/simple?mail=a@b": "https://host/simple?mail=a@b",
    "mail to a@b.c": "mail to a@b.c",
}


@pytest.mark.parametrize(("url", "masked"), URLS.items())
def test_the_user_info_of_every_url_is_removed(url: str, masked: str) -> None:
    """A URL of a message may hold a password that no field declares."""
    assert Redactor()(f"GET {url} failed") == f"GET {masked} failed"


def test_the_parameters_of_a_statement_are_removed() -> None:
    """SQLAlchemy appends them to its errors."""
    error = "(Error) failed\n[SQL: INSERT INTO t VALUES (%(a)s)]\n[parameters: {'a': 'hunter2]'}]\n(Background)"
    assert Redactor()(error) == ("(Error) failed\n[SQL: INSERT INTO t VALUES (%(a)s)]\n[parameters: ***]\n(Background)")


@pytest.mark.parametrize(
    "text", ["://" * 100_000, "//a" * 100_000, "//" + "a@" * 100_000, "%2F%2F%" * 50_000, "[parameters: " * 50_000]
)
def test_removing_takes_time_in_proportion_to_the_text(text: str) -> None:
    """Producers choose the texts of many errors."""
    before = time.process_time()
    Redactor(["secret"])(text)
    assert time.process_time() - before < 5


def test_the_secret_fields_of_a_message_are_learnt() -> None:
    """A handler may log any field of its message without showing a password."""
    redactor = Redactor()
    extract = Extract("hunter2")
    redactor.learn_from(extract)
    assert redactor("quay.io/thoth-station/s2i hunter2") == f"quay.io/thoth-station/s2i {MASK}"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_empty_secret_changes_nothing(nothing: str | None) -> None:
    """An unset password is no password."""
    redactor = Redactor()
    redactor.learn(nothing)
    assert redactor("a b") == "a b"


@pytest.mark.parametrize("cut", [4, 8, 13])
def test_a_part_of_a_secret_before_a_cut_is_removed(cut: int) -> None:
    """Error texts are cut where they are made, before secrets are removed from them."""
    assert Redactor(["hunter2hunter2"])(f"login with {'hunter2hunter2'[:cut]}…") == f"login with {MASK}…"
    assert Redactor(["hunter2hunter2"])("login with nothing…") == "login with nothing…"

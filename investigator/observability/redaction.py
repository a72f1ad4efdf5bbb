# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes passwords from every text that leaves the worker: logs, errors, dead letters, pages."""

import json
import re
import weakref
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

MASK = "***"

#: Stands where a text was cut.
CUT = "…"

# How many characters of passwords of finished messages are remembered: later lines may still quote them.
_REMEMBERED_CHARACTERS = 50_000

#: The longest secret in characters. Its spellings take ten times as much memory, and tokens are shorter.
MAX_SECRET_LENGTH = 4_096

# A shorter secret is removed only as a separate word: otherwise the password "a" would make every log unreadable.
_MIN_LENGTH = 4


# The user info of a URL, also in JSON with escaped slashes and in a quoted URL; and the parameters of a statement, as
# SQLAlchemy appends them to its errors. Each alternative scans a character once.
_USER_INFO = re.compile(
    r"""(?<=//)[^\s/"\\]*(?:\\[^/\s][^\s/"\\]*)*@"""
    r"""|(?<=\\/\\/)[^\s/"\\]*@"""
    r"""|(?<=%2F%2F)[^\s/%]*(?:%(?!2F)[^\s/%]*)*%40""",
    re.IGNORECASE,
)
_SQL_PARAMETERS = re.compile(r"\[parameters: [^\n]*")


def cut(text: str, limit: int) -> str:
    """Return the text with at most `limit` characters; a cut one ends with CUT."""
    return text if len(text) <= limit else f"{text[: limit - len(CUT)]}{CUT}"


class Redactor:
    """Replaces every known secret in a text by a mask, and the user info of URLs and parameters of SQL statements.

    Args:
        permanent: secrets that are never forgotten, those of the settings (`Settings.secrets`).
        remembered: how many characters of other secrets are remembered, beside those of records that still exist; the
            least recently learnt is forgotten first.
    """

    def __init__(self, permanent: Iterable[str] = (), *, remembered: int = _REMEMBERED_CHARACTERS) -> None:
        self._permanent = {secret: _forms(secret) for secret in permanent if secret.strip()}
        self._seen: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._remembered = remembered
        self._compile()

    def learn(self, secret: str | None) -> None:
        """Remove a secret from all later texts; None and blank texts are ignored."""
        if not secret or not secret.strip() or secret in self._permanent:
            return
        secret = secret[:MAX_SECRET_LENGTH]
        if is_new := secret not in self._seen:
            self._seen[secret] = _forms(secret)
        self._seen.move_to_end(secret)
        if self._forget_oldest() or is_new:
            self._compile()

    def _forget_oldest(self) -> bool:
        """Forget secrets that no record holds, until the rest is within the limit; return whether any was."""
        free = [secret for secret in self._seen if not self._held[secret]]
        surplus = sum(map(len, free)) - self._remembered
        before = len(self._seen)
        for secret in free:
            if surplus <= 0:
                break
            surplus -= len(secret)
            del self._seen[secret]
        return len(self._seen) < before

    def learn_from(self, record: object) -> None:
        """Learn the fields of a record that are secrets, and remember them for as long as the record exists."""
        for value in vars(record).values():
            if isinstance(value, SecretStr) and (secret := value.get_secret_value()[:MAX_SECRET_LENGTH]):
                self._held[secret] += 1
                weakref.finalize(record, self._release, secret).atexit = False
                self.learn(secret)

    def _release(self, secret: str) -> None:
        self._held[secret] -= 1
        if self._held[secret] <= 0:
            del self._held[secret]

    def __call__(self, text: str) -> str:
        """Return the text with a mask in place of each secret."""
        text = _SQL_PARAMETERS.sub(f"[parameters: {MASK}]", _USER_INFO.sub(f"{MASK}@", text))
        for form in self._long:
            if form in text:
                text = text.replace(form, MASK)
        text = self._short.sub(MASK, text) if self._short else text
        return self._without_beginnings(text) if CUT in text else text

    def _without_beginnings(self, text: str) -> str:
        """Mask a secret of which only the beginning is left, because the text was cut there."""
        head, cut, rest = text.partition(CUT)
        longest = max((_overlap(head, form) for form in self._long), default=0)
        return f"{head[:-longest]}{MASK}{cut}{rest}" if longest else text

    def _compile(self) -> None:
        forms = {form for known in (self._permanent, self._seen) for each in known.values() for form in each}
        # The longest first: a secret may be part of another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._long = tuple(form for form in ordered if len(form) >= _MIN_LENGTH)
        short = [re.escape(form) for form in ordered if len(form) < _MIN_LENGTH]
        self._short = re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else None


def _overlap(text: str, form: str) -> int:
    """Return how many characters at the end of a text begin a secret; 0 where fewer than _MIN_LENGTH do."""
    return next((size for size in range(len(form) - 1, _MIN_LENGTH - 1, -1) if text.endswith(form[:size])), 0)


def _forms(secret: str) -> frozenset[str]:
    """Return the spellings of a secret: plain, in JSON, in JSON inside JSON, in URLs, and in Python's repr()."""
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    twice = [json.dumps(form)[1:-1] for form in in_json]
    quoted = [quote(secret), quote(secret, safe=""), quote_plus(secret)]
    return frozenset([secret, *in_json, *twice, *quoted, *_repr_forms(secret)])


def _repr_forms(secret: str) -> Iterator[str]:
    # repr() chooses its quotes by the whole text, so that a quote inside the secret may or may not be escaped.
    for text in (repr(secret)[1:-1], repr(secret.encode("utf-8", "backslashreplace"))[2:-1]):
        yield text
        yield text.replace("'", "\\'")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes passwords from every text that leaves the worker: logs, errors, dead letters, pages."""

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

MASK = "***"

# How many passwords of messages are remembered: far more than there are messages in flight.
_REMEMBERED = 500

# A shorter secret is removed only as a separate word: otherwise the password "a" would make every log unreadable.
_MIN_LENGTH = 4


class Redactor:
    """Replaces every known secret in a text by a mask.

    Args:
        permanent: secrets that are never forgotten, those of the settings (`Settings.secrets`).
        remembered: how many secrets of messages are remembered; the least recently learnt is forgotten first.
    """

    def __init__(self, permanent: Iterable[str] = (), *, remembered: int = _REMEMBERED) -> None:
        self._permanent = {secret: _forms(secret) for secret in permanent if secret.strip()}
        self._seen: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._remembered = remembered
        self._compile()

    def learn(self, secret: str | None) -> None:
        """Remove a secret from all later texts; None and blank texts are ignored."""
        if not secret or not secret.strip() or secret in self._permanent:
            return
        if secret in self._seen:
            self._seen.move_to_end(secret)
            return
        self._seen[secret] = _forms(secret)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        self._compile()

    def learn_from(self, record: object) -> None:
        """Learn the fields of a record that are secrets."""
        for value in vars(record).values():
            if isinstance(value, SecretStr):
                self.learn(value.get_secret_value())

    def __call__(self, text: str) -> str:
        """Return the text with a mask in place of each secret."""
        for form in self._long:
            if form in text:
                text = text.replace(form, MASK)
        return self._short.sub(MASK, text) if self._short else text

    def _compile(self) -> None:
        forms = {form for known in (self._permanent, self._seen) for each in known.values() for form in each}
        # The longest first: a secret may be part of another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._long = tuple(form for form in ordered if len(form) >= _MIN_LENGTH)
        short = [re.escape(form) for form in ordered if len(form) < _MIN_LENGTH]
        self._short = re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else None


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

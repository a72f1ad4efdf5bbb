# SPDX-License-Identifier: GPL-3.0-or-later
"""The value of a message as it may be shown: without its passwords, and without what would move a terminal's cursor."""

import json
import re
from collections.abc import Iterable
from typing import TypeVar

from investigator.observability.redaction import MASK, Redactor

T = TypeVar("T")

# Messages that nobody foresaw end as dead letters: what is called like a secret is taken for one, wherever it stands.
_SECRET = re.compile("passw|secret|token|credential", re.IGNORECASE)
_IN_TEXT = re.compile(rf"""((?:\w*(?:{_SECRET.pattern})\w*)["']?\s*[:=]\s*["']?)([^"',;&}}\s]+)""", re.IGNORECASE)


class Masking:
    """Masks values.

    Args:
        secret_fields: the names of fields that hold passwords.
        redactor: told each password that is found, to keep it out of errors too.
    """

    def __init__(self, secret_fields: Iterable[str], redactor: Redactor) -> None:
        self._secret_fields = frozenset(secret_fields)
        self._redactor = redactor

    def __call__(self, value: bytes | None) -> str | None:
        """Give the value as text; a JSON value with an indent, anything else as it is."""
        if value is None:
            return None
        try:
            return json.dumps(self._masked(json.loads(value)), indent=2)
        except (ValueError, RecursionError):
            return printable(_IN_TEXT.sub(self._mask_match, value.decode("utf-8", "backslashreplace")))

    def everywhere(self, content: T) -> T:
        """Give the same content without the passwords that are known by now."""
        if isinstance(content, str):
            return self._redactor(content)  # type: ignore[return-value]  # a text for a text
        if isinstance(content, dict):
            return {name: self.everywhere(each) for name, each in content.items()}  # type: ignore[return-value]  # likewise
        return content

    def _masked(self, content: object) -> object:
        if isinstance(content, dict):
            return {name: self._masked_field(name, each) for name, each in content.items()}
        return [self._masked(each) for each in content] if isinstance(content, list) else content

    def _masked_field(self, name: str, content: object) -> object:
        if content is None or not (name in self._secret_fields or _SECRET.search(name)):
            return self._masked(content)
        if isinstance(content, str):
            self._redactor.learn(content)
        return MASK

    def _mask_match(self, match: re.Match[str]) -> str:
        self._redactor.learn(match[2])
        return match[1] + MASK


def printable(text: str) -> str:
    """Give the text on one line, with an escape for each character that is none to be seen."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)

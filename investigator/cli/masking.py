# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the value of a message safe to print: without passwords and without control characters."""

import json
import re
from collections.abc import Iterable
from typing import TypeVar

from investigator.observability.redaction import MASK, Redactor

T = TypeVar("T")

# Dead letters may have any shape, so every field whose name looks like that of a secret is masked, at any depth.
_SECRET_NAME = re.compile("passw|secret|token|credential", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    rf"""((?:\w*(?:{_SECRET_NAME.pattern})\w*)["']?\s*[:=]\s*["']?)([^"',;&}}\s]+)""", re.IGNORECASE
)


class Masking:
    """Masks the passwords in values of messages.

    Args:
        secret_fields: the names of fields that hold passwords.
        redactor: learns each password that is found, so that it is masked in errors too.
    """

    def __init__(self, secret_fields: Iterable[str], redactor: Redactor) -> None:
        self._secret_fields = frozenset(secret_fields)
        self._redactor = redactor

    def __call__(self, value: bytes | None) -> str | None:
        """Return the value as text, JSON with indentation and anything else unchanged; None for a tombstone."""
        if value is None:
            return None
        try:
            return json.dumps(self._masked(json.loads(value)), indent=2)
        except (ValueError, RecursionError):
            return printable(_SECRET_IN_TEXT.sub(self._mask_match, value.decode("utf-8", "backslashreplace")))

    def everywhere(self, content: T) -> T:
        """Return the content with all known passwords masked, in texts at any depth of dictionaries."""
        if isinstance(content, str):
            return self._redactor(content)  # type: ignore[return-value]  # returns a text for a text
        if isinstance(content, dict):
            return {name: self.everywhere(each) for name, each in content.items()}  # type: ignore[return-value]  # returns a dictionary for a dictionary
        return content

    def _masked(self, content: object) -> object:
        if isinstance(content, dict):
            return {name: self._masked_field(name, each) for name, each in content.items()}
        return [self._masked(each) for each in content] if isinstance(content, list) else content

    def _masked_field(self, name: str, content: object) -> object:
        if content is None or not (name in self._secret_fields or _SECRET_NAME.search(name)):
            return self._masked(content)
        if isinstance(content, str):
            self._redactor.learn(content)
        return MASK

    def _mask_match(self, match: re.Match[str]) -> str:
        self._redactor.learn(match[2])
        return match[1] + MASK


def printable(text: str) -> str:
    """Return the text on one line, with an escape for each character that is not printable."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the value of a message safe to print: without passwords and without control characters."""

import json
import re
from collections.abc import Iterable
from typing import TypeVar

from investigator.observability.redaction import MASK, Redactor

T = TypeVar("T")

# Dead letters may have any shape, so every field whose name looks like that of a secret is masked, at any depth.
_SECRET_NAME = re.compile("passw|pwd|secret|token|credential|authorization|api.?key|private.?key|cookie", re.IGNORECASE)

# In a text that is no JSON, a value follows the name: in quotes up to the closing one or the end of the text, without
# quotes up to the next separator. A name has a limited length, so that the search takes linear time.
_AFTER_NAME = r"""\w{0,64}\\{0,8}["']?\s{0,8}[:=]\s{0,8}"""
_VALUE = r"""\\{0,8}"(?:[^"\\]|\\.)*(?:"|\\?\Z)|'(?:[^'\\]|\\.)*(?:'|\\?\Z)|[^"',;&}\r\n]+"""
_SECRET_IN_TEXT = re.compile(rf"((?:{_SECRET_NAME.pattern}){_AFTER_NAME})({_VALUE})", re.IGNORECASE | re.DOTALL)


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
            return self._redactor(json.dumps(self._masked(json.loads(value)), indent=2))
        except (ValueError, RecursionError):
            return printable(self.text(value.decode("utf-8", "backslashreplace")))

    def text(self, text: str) -> str:
        """Return a text with what follows the name of a secret masked, and with all known passwords masked."""
        return self._redactor(_SECRET_IN_TEXT.sub(self._mask_match, text))

    def header(self, name: str, text: str) -> str:
        """Return the text of a header, masked where its name is that of a secret."""
        return MASK if self._is_secret(name) else self.text(text)

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
        if content is None or not self._is_secret(name):
            return self._masked(content)
        if isinstance(content, str):
            self._redactor.learn(content)
        return MASK

    def _is_secret(self, name: str) -> bool:
        return name in self._secret_fields or _SECRET_NAME.search(name) is not None

    def _mask_match(self, match: re.Match[str]) -> str:
        self._redactor.learn(match[2].strip("\"' \\"))
        return match[1] + MASK


def printable(text: str) -> str:
    """Return the text on one line, with an escape for each character that is not printable."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs the warnings of the cluster's API, each once: deprecated versions, unknown fields, policies that only warn."""

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable

_LOGGER = logging.getLogger(__name__)
_MAX_REMEMBERED = 500
_MAX_TEXT = 500
# RFC 7234: a code, the agent, the text in quotes, and possibly a date. Kubernetes sends code 299 and the agent "-".
_HEADER = re.compile(r'^\s*\d{3} \S+ "((?:\\.|[^"\\])*)"')


class ApiWarnings:
    """The warnings seen so far; the oldest are forgotten, and then logged again. May be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def log_new(self, subject: str, headers: Iterable[str]) -> None:
        """Log the warnings of an answer that were not yet logged for the same subject.

        Args:
            subject: what the request was about, such as a template.
            headers: the values of the answer's Warning headers.
        """
        for header in headers:
            text = _text(header)
            if self._is_new((subject, text)):
                _LOGGER.warning("The cluster's API sent a warning subject=%s warning=%s", subject, text)

    def _is_new(self, key: tuple[str, str]) -> bool:
        with self._lock:
            new = key not in self._seen
            self._seen[key] = None
            self._seen.move_to_end(key)
            if len(self._seen) > _MAX_REMEMBERED:
                self._seen.popitem(last=False)
        return new


def _text(header: str) -> str:
    match = _HEADER.match(header)
    text = re.sub(r"\\(.)", r"\1", match[1]) if match else header
    return "".join(character if character.isprintable() else " " for character in text)[:_MAX_TEXT]

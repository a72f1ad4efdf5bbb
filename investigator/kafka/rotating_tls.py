# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS context that uses certificates which were replaced in place, such as those of a mounted secret.

A context of Python reads its files once. Here each new connection gets a context that was made after the last change
of the files. So neither a former authority nor a former certificate of the client is in use any more. Connections that
are open stay as they are.
"""

import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import Self

_LOGGER = logging.getLogger(__name__)

_Signature = tuple[tuple[int, int, int] | None, ...]


class RotatingContext(ssl.SSLContext):
    """A context for clients of asyncio, which make each connection by `wrap_bio`.

    Args:
        configure: loads the files into a new context, and sets its options.
        files: the files that are looked at before each connection.

    Raises:
        OSError, ValueError: the files can't be loaded when this context is made.
    """

    def __new__(cls, configure: Callable[[ssl.SSLContext], None], files: Sequence[Path]) -> Self:
        """Make the context; `ssl.SSLContext` takes the protocol here."""
        del configure, files
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, configure: Callable[[ssl.SSLContext], None], files: Sequence[Path]) -> None:
        self._configure = configure
        self._files = files
        self._loaded = self._tried = self._signature()
        configure(self)
        self._current: ssl.SSLContext | None = None

    def wrap_bio(self, *buffers: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401  whatever asyncio passes
        """Return the TLS side of a new connection, made by the files as they are now."""
        self._reload_if_changed()
        if self._current is None:
            return super().wrap_bio(*buffers, **options)
        return self._current.wrap_bio(*buffers, **options)

    def _reload_if_changed(self) -> None:
        signature = self._signature()
        if signature == self._loaded:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            self._configure(context)
        except (OSError, ValueError) as error:
            self._warn(signature, error)
        else:
            self._current, self._loaded = context, signature
            _LOGGER.info("Loaded the changed Kafka certificates files=%s", ",".join(map(str, self._files)))

    def _warn(self, signature: _Signature, error: Exception) -> None:
        # Files that are replaced one after the other do not match for a moment: the next connection tries again.
        if signature != self._tried:
            _LOGGER.warning("Could not load the changed Kafka certificates; using the former ones error=%r", error)
            self._tried = signature

    def _signature(self) -> _Signature:
        return tuple(map(_stat, self._files))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

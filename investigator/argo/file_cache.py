# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that is read again when one of its files changes."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class FileCache(Generic[T]):
    """A value made from files, for many threads; an exception of ``read`` reaches the caller and is not cached.

    Args:
        files: returns the paths of the files; each may be absent.
        read: makes the value from the files.
    """

    def __init__(self, files: Callable[[], Iterable[str]], read: Callable[[], T]) -> None:
        self._files = files
        self._read = read
        self._lock = threading.Lock()
        self._entry: tuple[object, T] | None = None  # the versions of the files, and the value made from them

    def get(self) -> T:
        """Return the value; read it again if a file has changed."""
        with self._lock:
            versions = self._versions()
            if self._entry is None or versions != self._entry[0]:
                # The versions from before: a change while the files are read is noticed at the next call.
                self._entry = (versions, self._read())
            return self._entry[1]

    def invalidate(self) -> None:
        """Read the value again at the next call."""
        with self._lock:
            self._entry = None

    def _versions(self) -> object:
        return [(file, file_version(file)) for file in self._files()]


def file_version(file: str) -> tuple[int, int, int] | None:
    """Return a value that changes when the file does; None for an absent file."""
    try:
        stat = Path(file).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino

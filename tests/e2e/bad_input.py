# SPDX-License-Identifier: GPL-3.0-or-later
"""Values, keys and headers that a broken or hostile producer may send, from a seeded random generator."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.blocking_kafka import message

GOOD_FIELDS = message(project_url="https://github.com/thoth-station/bad")


@dataclass(frozen=True)
class Bad:
    """A message that must be refused."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def _with(**fields: object) -> bytes:
    return json.dumps({**GOOD_FIELDS, **fields}).encode()


def _one_of_each_kind() -> Iterator[bytes | None]:
    yield from (
        None,
        b"",
        b" ",
        b"\x00",
        b"\xff\xfe\xfd",
        b"{",
        b"}",
        b'"text"',
        b"null",
        b"true",
        b"7",
        b"[]",
        b"[{}]",
    )
    yield from (b"{}", b'{"a":1}', b"NaN", b"-Infinity", b"1e999", b"9" * 10_000, b"[" * 100_000, b'{"a":' * 50_000)
    wrong_urls: tuple[object, ...] = (None, 7, 1.5, True, [], {}, ["x"], {"x": 1}, "", "\ud800")
    yield from (_with(project_url=wrong) for wrong in wrong_urls)
    wrong_versions: tuple[object, ...] = (7, "v0", "", [], {}, "v1 ")
    yield from (_with(version=wrong) for wrong in wrong_versions)
    wrong_names: tuple[object, ...] = (None, 10**400, float("inf"), float("nan"), {"a": [None]})
    yield from (_with(component_name=wrong) for wrong in wrong_names)
    yield _with().replace(b'"project_url"', b'"project_url": "https://github.com/thoth-station/twice", "project_url"')
    yield _with()[:-1]
    yield _with() + b"x"
    yield "\ufeff".encode() + _with()
    yield _with().decode().encode("utf-16")
    yield b'{"project_url": "' + b"x" * 3_000_000  # a string of megabytes that is not closed


class BadInput:
    """An endless stream of bad messages, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (not for cryptography, and has to be repeatable)

    def __iter__(self) -> Iterator[Bad]:
        """Yield one message of each kind, then random bytes and randomly damaged messages."""
        for value in _one_of_each_kind():
            yield Bad(value, self._key(), self._headers())
        while True:
            yield Bad(
                self._damaged() if self._random.random() < 0.5 else self._random_bytes(), self._key(), self._headers()
            )

    def _random_bytes(self) -> bytes:
        return b"\x00" + self._random.randbytes(self._random.choice([1, 10, 100, 1000]))

    def _damaged(self) -> bytes:
        # Without one of its required fields, and with one random byte changed.
        fields = dict(GOOD_FIELDS)
        del fields[self._random.choice(sorted(fields))]
        value = bytearray(json.dumps(fields).encode())
        value[self._random.randrange(len(value))] = self._random.randrange(256)
        return bytes(value)

    def _key(self) -> bytes | None:
        return self._random.choice([None, None, b"", b"\xff\x00", b"key", b"k" * 10_000])

    def _headers(self) -> tuple[tuple[str, bytes], ...]:
        odd = [
            ("", b""),
            ("trace", b"\xff"),
            ("kafka_dlt-original-offset", b"x"),
            ("a" * 1000, b"b" * 1000),
            ("ä😀", b"7"),
        ]
        return tuple(self._random.sample(odd, self._random.randrange(len(odd))))

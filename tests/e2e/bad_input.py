# SPDX-License-Identifier: GPL-3.0-or-later
"""Values, keys and headers such as a broken or hostile producer may send, made by chance that can be repeated."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.blocking_kafka import message

GOOD_FIELDS = message(project_url="https://github.com/thoth-station/bad")


@dataclass(frozen=True)
class Bad:
    """A message that can't be handled."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def _with(**fields: object) -> bytes:
    return json.dumps({**GOOD_FIELDS, **fields}).encode()


def _one_of_each() -> Iterator[bytes | None]:
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
    no_urls: tuple[object, ...] = (None, 7, 1.5, True, [], {}, ["x"], {"x": 1}, "", "\ud800")
    yield from (_with(project_url=wrong) for wrong in no_urls)
    no_versions: tuple[object, ...] = (7, "v0", "", [], {}, "v1 ")
    yield from (_with(version=wrong) for wrong in no_versions)
    no_names: tuple[object, ...] = (None, 10**400, float("inf"), float("nan"), {"a": [None]})
    yield from (_with(component_name=wrong) for wrong in no_names)
    yield _with().replace(b'"project_url"', b'"project_url": "https://github.com/thoth-station/twice", "project_url"')
    yield _with()[:-1]
    yield _with() + b"x"
    yield "\ufeff".encode() + _with()
    yield _with().decode().encode("utf-16")
    yield b'{"project_url": "' + b"x" * 3_000_000  # megabytes, and never closed


class BadInput:
    """An endless stream of bad messages; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - chance that can be repeated

    def __iter__(self) -> Iterator[Bad]:
        """Give one of each kind, then what chance makes of good messages and of nothing."""
        for value in _one_of_each():
            yield Bad(value, self._key(), self._headers())
        while True:
            yield Bad(self._mangled() if self._chance.random() < 0.5 else self._noise(), self._key(), self._headers())

    def _noise(self) -> bytes:
        return b"\x00" + self._chance.randbytes(self._chance.choice([1, 10, 100, 1000]))

    def _mangled(self) -> bytes:
        """Take a good message without one of the fields that it needs, with a byte of it changed that may be any."""
        fields = dict(GOOD_FIELDS)
        del fields[self._chance.choice(sorted(fields))]
        value = bytearray(json.dumps(fields).encode())
        value[self._chance.randrange(len(value))] = self._chance.randrange(256)
        return bytes(value)

    def _key(self) -> bytes | None:
        return self._chance.choice([None, None, b"", b"\xff\x00", b"key", b"k" * 10_000])

    def _headers(self) -> tuple[tuple[str, bytes], ...]:
        odd = [
            ("", b""),
            ("trace", b"\xff"),
            ("kafka_dlt-original-offset", b"x"),
            ("a" * 1000, b"b" * 1000),
            ("ä😀", b"7"),
        ]
        return tuple(self._chance.sample(odd, self._chance.randrange(len(odd))))

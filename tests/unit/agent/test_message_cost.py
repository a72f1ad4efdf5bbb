# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing any value of up to a megabyte costs little memory and few calls, whether the value is a record or not."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice, repeat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from investigator.agent.json_object import MAX_PARTS
from investigator.delivery.errors import MAX_ERROR_CHARACTERS, PermanentError
from tests.support.sample_record import REQUIRED_FIELDS, read, refusal

SIZE = 1_048_588
MAX_BYTES = 64 * 1024 * 1024
MAX_CALLS = 1_000_000
MAX_CPU_SECONDS = 10  # one second on a machine that does nothing else; the quadratic steps of old took minutes

HEAD = json.dumps({**REQUIRED_FIELDS, "version": "v2"}).encode()[:-1]

ATOMS = [
    *(b"0", b"1e3", b"-0.1", b"1" * 20, b"null", b"NaN", b'""', b'"a,[{"', b'"\\"\\\\"', b'"\\ud83d\\ude00"'),
    *('"\u0100"'.encode(), '"\U0001f600"'.encode(), b"\xff", b"\\", b'"', b'["'),
    *(b"[]", b"{}", b'{"":0}', b"[[[[0]]]]", b'{"a":{"a":{}}}'),
]
FIELDS = [b"name", b"count", b"tags", b"limits", b"extras", b"password", b"version", b"unknown"]


def repeated(atom: bytes, separator: bytes, around: bytes, number: int) -> bytes:
    """Return as many equal parts as asked for, or as fit into a message."""
    fitting = (SIZE - len(HEAD) - 100) // (len(atom) + len(separator))
    return around[:1] + separator.join(repeat(atom, min(number, fitting))) + around[1:]


def numbered(atom: bytes, number: int) -> bytes:
    """Return an object with a different name for each member, and one name twice."""

    def members() -> Iterator[bytes]:
        yield from (b'"k%d":%s' % (index, atom) for index in range(number))
        yield b'"k0":0'

    fitting = (SIZE - len(HEAD) - 100) // (len(atom) + 10)
    return b"{" + b",".join(islice(members(), fitting)) + b"}"


numbers = st.sampled_from([10, 5_000, 49_000, 99_000, SIZE])
separators = st.sampled_from([b",", b"", b":", b" "])
brackets = st.sampled_from([b"[]", b'""', b"{}", b"["])
atoms = st.sampled_from(ATOMS)
bodies = st.builds(repeated, atoms, separators, brackets, numbers) | st.builds(numbered, atoms, numbers)
values = st.builds(lambda field, body: HEAD + b', "' + field + b'": ' + body + b"}", st.sampled_from(FIELDS), bodies)


def outcome(value: bytes) -> str | None:
    """Return the error about a value; None if it is a record."""
    try:
        read(value)
    except PermanentError as error:
        return str(error)
    return None


def peak_memory(call: Callable[[], object]) -> int:
    """Return the most bytes that a call needed at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls(call: Callable[[], object]) -> int:
    """Return how many functions a call has called, in Python and in C."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(values)
def test_no_value_costs_much_memory_or_many_calls_or_a_long_error(value: bytes) -> None:
    """A producer chooses the value; the worker has other topics to serve."""
    assert len(value) <= SIZE
    assert peak_memory(lambda: outcome(value)) < MAX_BYTES
    assert calls(lambda: outcome(value)) < MAX_CALLS
    assert len(outcome(value) or "") <= MAX_ERROR_CHARACTERS


HUGE = {
    "many names, one of them twice": numbered(b"0", 100_000)[:-7] + b',"k0":0}',
    "many names": HEAD + b', "extras": ' + b"{" + b",".join(b'"k%d":1' % index for index in range(85_000)) + b"}}",
    "many unknown fields": HEAD + b"," + b",".join(b'"u%d":1' % index for index in range(85_000)) + b"}",
    "many wrong items": HEAD + b', "tags": ' + repeated(b"1", b",", b"[]", 90_000) + b"}",
    "a doubled name of half a megabyte": b'{"' + b"a" * 500_000 + b'":1,"' + b"a" * 500_000 + b'":2}',
    "a number of a million digits": HEAD + b', "count": ' + b"1" * 1_000_000 + b"}",
    "an escaped quote, many times, in no string": b'"\\' * 500_000,
    "quotes that open nothing": b'{"a":"' + b'"a' * 500_000,
    "a version of a million characters": b'{"version": "' + b"x" * 1_000_000 + b'"}',
    "a string that does not end": b'{"a":"' + b'\\"' * 500_000,
}


@pytest.mark.parametrize("value", HUGE.values(), ids=HUGE.keys())
def test_a_huge_value_takes_time_in_proportion_to_its_size(value: bytes) -> None:
    """A step that is quadratic in the number of names, items or quotes would take minutes."""
    before = time.process_time()
    outcome(value)
    assert time.process_time() - before < MAX_CPU_SECONDS
    assert peak_memory(lambda: outcome(value)) < MAX_BYTES


def test_a_large_text_full_of_commas_and_brackets_is_read() -> None:
    """Only the structure counts: a pull request may quote a large JSON document."""
    text = '{"a": [1, 2, "\\""], ' * 40_000
    assert read({**REQUIRED_FIELDS, "extras": {"body": text}}).extras == {"body": text}


@pytest.mark.parametrize("atom", [b"0", b"[]", b"{}", b'""', b"[0]"])
def test_a_value_of_too_many_parts_is_refused(atom: bytes) -> None:
    """Each part takes far more memory than its bytes in JSON."""
    value = HEAD + b', "extras": {"a": ' + repeated(atom, b",", b"[]", MAX_PARTS + 1) + b"}}"
    assert str(refusal(value)) == f"the value has more than {MAX_PARTS} members and items in all"

# SPDX-License-Identifier: GPL-3.0-or-later
"""The TTL cache."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from investigator.argo.ttl_cache import TTLCache


class Source:
    """Counts the fetches; `version` is part of the value."""

    def __init__(self) -> None:
        self.fetches = 0
        self.version = "v1"
        self.now = 0.0

    def fetch(self, key: str) -> str:
        """Return the value after a moment."""
        self.fetches += 1
        time.sleep(0.01)
        return f"{key} {self.version}"

    def cache(self, seconds: float = 60.0) -> TTLCache[str, str]:
        """Return a cache of this source, by its clock."""
        return TTLCache(self.fetch, seconds, lambda: self.now)


def test_many_threads_fetch_a_value_once() -> None:
    """Threads that need the value during the fetch wait for it."""
    source = Source()
    cache = source.cache()
    with ThreadPoolExecutor(10) as threads:
        assert set(threads.map(cache.get, ["a", "b"] * 10)) == {"a v1", "b v1"}
    assert source.fetches == 2


def test_a_value_is_fetched_again_after_its_ttl() -> None:
    """And not before."""
    source = Source()
    cache = source.cache(60.0)
    cache.get("a")
    source.version, source.now = "v2", 59.9
    assert cache.get("a") == "a v1"
    source.now = 60.0
    assert cache.get("a") == "a v2"


def test_a_value_that_turned_out_to_be_old_is_fetched_again() -> None:
    """Once, however many callers ask; None means that it has not changed."""
    source = Source()
    cache = source.cache()
    old = cache.get("a")
    assert cache.get_if_changed("a", old) is None
    source.version = "v2"
    assert cache.get_if_changed("a", old) == "a v2"
    assert cache.get_if_changed("a", old) == "a v2"
    assert source.fetches == 3


def test_a_failed_fetch_is_not_cached() -> None:
    """The next caller fetches again."""

    def invert(number: int) -> int:
        return 1 // number

    numbers = [0, 1]
    cache = TTLCache[str, int](lambda _: invert(numbers.pop(0)), 60.0)
    with pytest.raises(ZeroDivisionError):
        cache.get("a")
    assert cache.get("a") == 1

# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are fetched once and kept for a while."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from investigator.argo.ttl_cache import TTLCache


class Source:
    """Counts how often it is asked; `version` is what it gives."""

    def __init__(self) -> None:
        self.asked = 0
        self.version = "v1"
        self.now = 0.0

    def fetch(self, key: str) -> str:
        """Take a moment to give the value."""
        self.asked += 1
        time.sleep(0.01)
        return f"{key} {self.version}"

    def kept(self, seconds: float = 60.0) -> TTLCache[str, str]:
        """Keep what this gives for so long, by its own clock."""
        return TTLCache(self.fetch, seconds, lambda: self.now)


def test_many_threads_fetch_a_value_once() -> None:
    """Those that come while it is fetched wait for it."""
    source = Source()
    kept = source.kept()
    with ThreadPoolExecutor(10) as threads:
        assert set(threads.map(kept.get, ["a", "b"] * 10)) == {"a v1", "b v1"}
    assert source.asked == 2


def test_a_value_is_fetched_anew_when_its_time_is_over() -> None:
    """Neither before nor much after."""
    source = Source()
    kept = source.kept(60.0)
    kept.get("a")
    source.version, source.now = "v2", 59.9
    assert kept.get("a") == "a v1"
    source.now = 60.0
    assert kept.get("a") == "a v2"


def test_a_value_that_does_not_work_is_fetched_anew() -> None:
    """Once, however many find out about it; None says that it is still the same."""
    source = Source()
    kept = source.kept()
    old = kept.get("a")
    assert kept.get_if_changed("a", old) is None
    source.version = "v2"
    assert kept.get_if_changed("a", old) == "a v2"
    assert kept.get_if_changed("a", old) == "a v2"
    assert source.asked == 3


def test_a_failure_is_not_kept() -> None:
    """The next one tries again."""

    def invert(number: int) -> int:
        return 1 // number

    numbers = [0, 1]
    kept = TTLCache[str, int](lambda _: invert(numbers.pop(0)), 60.0)
    with pytest.raises(ZeroDivisionError):
        kept.get("a")
    assert kept.get("a") == 1

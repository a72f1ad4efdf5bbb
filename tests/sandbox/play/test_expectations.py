# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.graph_seed import PackageFlags
from sandbox.play.expectations import Expected, Flag, differences, shortfalls
from sandbox.play.messages import PackageVersion
from tests.sandbox.play.fake_knowledge import URL

CLICK = PackageVersion("click", "8.1.3", URL)
SOUND = PackageFlags(is_missing=False, provides_source_distro=True)
MISSING = PackageFlags(is_missing=True, provides_source_distro=True)
WHEELS = PackageFlags(is_missing=False, provides_source_distro=False)


class Rows:
    """The rows of one version."""

    def __init__(self, flags: set[PackageFlags], hashes: dict[str, bool]) -> None:
        self._flags, self._hashes = flags, hashes

    def flags(self, name: str, version: str, index_url: str) -> set[PackageFlags]:
        """Give its flags."""
        assert PackageVersion(name, version, index_url) == CLICK
        return self._flags

    def hashes(self, name: str, version: str, index_url: str) -> dict[str, bool]:
        """Give its hashes."""
        assert PackageVersion(name, version, index_url) == CLICK
        return self._hashes


@pytest.mark.parametrize(
    ("flag", "flags", "is_set"),
    [
        (Flag("missing-package", CLICK, "missing"), {MISSING}, True),
        (Flag("missing-package", CLICK, "missing"), {MISSING, SOUND}, False),
        (Flag("missing-package", CLICK, "missing"), set(), False),
        (Flag("sources", CLICK, "without source distribution"), {WHEELS}, True),
        (Flag("sources", CLICK, "without source distribution"), {WHEELS, SOUND}, False),
    ],
)
def test_a_flag_is_set_where_all_environments_say_so(flag: Flag, flags: set[PackageFlags], *, is_set: bool) -> None:
    """Guarantee: a version that is unknown, or flagged in one environment only, does not count as flagged."""
    assert flag.is_set(Rows(flags, {})) is is_set


@pytest.mark.parametrize(("hashes", "is_set"), [({"a": False}, True), ({"a": True}, False), ({"b": False}, False)])
def test_a_hash_is_gone_where_the_graph_says_it_is_absent(hashes: dict[str, bool], *, is_set: bool) -> None:
    """Guarantee: a hash that the graph does not know was not marked."""
    assert Flag("hash-mismatch", CLICK, "hash gone", "a").is_set(Rows(set(), hashes)) is is_set


def test_what_is_as_expected_lacks_nothing() -> None:
    """Guarantee: exact counts are no reason to complain."""
    expected = Expected({"package-released": 1}, {("package-released", "solver"): 2})
    assert expected.lacking({"package-released": 1}, {("package-released", "solver"): 2}) == []


def test_too_few_too_many_and_unexpected_are_all_told() -> None:
    """Guarantee: counts have to be met to the piece, in both directions."""
    expected = Expected({"package-released": 1, "solved-package": 2}, {("package-released", "solver"): 2})
    seen = {("package-released", "solver"): 3, ("package-released", "adviser"): 1}
    assert expected.lacking({"package-released": 1}, seen) == [
        "solved-package messages: 0, expected 2",
        "solver workflows for package-released: 3, expected 2",
        "adviser workflows for package-released: 1, expected 0",
    ]


def test_flags_that_are_not_set_are_given() -> None:
    """Guarantee: changes of the graph are expected as exactly as workflows."""
    flag = Flag("missing-package", CLICK, "missing")
    expected = Expected({}, {}, (flag,))
    assert expected.unset(Rows({SOUND}, {})) == [flag]
    assert expected.unset(Rows({MISSING}, {})) == []


def test_differences_tell_both_numbers() -> None:
    """Guarantee: a reader sees what is, and what should be."""
    assert differences({"a": 1, "b": 2}, {"b": 3, "a": 1}) == ["b: 3, expected 2"]


def test_more_than_expected_is_no_shortfall() -> None:
    """Guarantee: what a redelivery counts twice is no fault, what is not counted is one."""
    assert shortfalls({"a": 1, "b": 2, "c": 1}, {"a": 2, "b": 1}) == ["b: 1, expected 2", "c: 0, expected 1"]

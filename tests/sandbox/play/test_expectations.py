# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.graph_seed import PackageFlags
from sandbox.play.expectations import Expected, Flag, differences, shortfalls
from sandbox.play.messages import PackageVersion
from tests.sandbox.play.fake_knowledge import URL

CLICK = PackageVersion("click", "8.1.3", URL)
PRESENT = PackageFlags(is_missing=False, provides_source_distro=True)
MISSING = PackageFlags(is_missing=True, provides_source_distro=True)
WHEELS_ONLY = PackageFlags(is_missing=False, provides_source_distro=False)


class FakeGraph:
    """A graph with the flags and hashes of one package version."""

    def __init__(self, flags: set[PackageFlags], hashes: dict[str, bool]) -> None:
        self._flags, self._hashes = flags, hashes

    def flags(self, name: str, version: str, index_url: str) -> set[PackageFlags]:
        """Return its flags."""
        assert PackageVersion(name, version, index_url) == CLICK
        return self._flags

    def hashes(self, name: str, version: str, index_url: str) -> dict[str, bool]:
        """Return its hashes."""
        assert PackageVersion(name, version, index_url) == CLICK
        return self._hashes


@pytest.mark.parametrize(
    ("flag", "flags", "is_set"),
    [
        (Flag("missing-package", CLICK, "missing"), {MISSING}, True),
        (Flag("missing-package", CLICK, "missing"), {MISSING, PRESENT}, False),
        (Flag("missing-package", CLICK, "missing"), set(), False),
        (Flag("sources", CLICK, "without source distribution"), {WHEELS_ONLY}, True),
        (Flag("sources", CLICK, "without source distribution"), {WHEELS_ONLY, PRESENT}, False),
    ],
)
def test_a_flag_is_set_only_if_it_is_set_in_all_environments(
    flag: Flag, flags: set[PackageFlags], *, is_set: bool
) -> None:
    """A version that the graph does not have counts as not flagged."""
    assert flag.is_set(FakeGraph(flags, {})) is is_set


@pytest.mark.parametrize(("hashes", "is_set"), [({"a": False}, True), ({"a": True}, False), ({"b": False}, False)])
def test_a_hash_is_gone_only_if_the_graph_has_it_as_absent(hashes: dict[str, bool], *, is_set: bool) -> None:
    """A hash that the graph does not have counts as not flagged."""
    assert Flag("hash-mismatch", CLICK, "hash gone", "a").is_set(FakeGraph(set(), hashes)) is is_set


def test_the_expected_counts_are_not_reported() -> None:
    """An empty list means that the counts are met."""
    expected = Expected({"package-released": 1}, {("package-released", "solver"): 2})
    assert expected.unmet_counts({"package-released": 1}, {("package-released", "solver"): 2}) == []


def test_too_few_too_many_and_unexpected_are_all_reported() -> None:
    """A scenario expects exact counts of messages and workflows; an absent count is 0."""
    expected = Expected({"package-released": 1, "solved-package": 2}, {("package-released", "solver"): 2})
    seen = {("package-released", "solver"): 3, ("package-released", "adviser"): 1}
    assert expected.unmet_counts({"package-released": 1}, seen) == [
        "solved-package messages: 0, expected 2",
        "solver workflows for package-released: 3, expected 2",
        "adviser workflows for package-released: 1, expected 0",
    ]


def test_flags_that_are_not_set_are_reported() -> None:
    """A scenario expects the flags in the graph as well as messages and workflows."""
    flag = Flag("missing-package", CLICK, "missing")
    expected = Expected({}, {}, (flag,))
    assert expected.unset_flags(FakeGraph({PRESENT}, {})) == [flag]
    assert expected.unset_flags(FakeGraph({MISSING}, {})) == []


def test_a_difference_has_both_numbers() -> None:
    """The line has the actual number and the expected one; equal numbers have no line."""
    assert differences({"a": 1, "b": 2}, {"b": 3, "a": 1}) == ["b: 3, expected 2"]


def test_a_number_above_the_expected_one_is_no_shortfall() -> None:
    """A redelivery counts a message twice, which is permitted; a message that is not counted at all is an error."""
    assert shortfalls({"a": 1, "b": 2, "c": 1}, {"a": 2, "b": 1}) == ["b: 1, expected 2", "c: 0, expected 1"]

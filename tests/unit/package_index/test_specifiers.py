# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from investigator.package_index.listing import Listing
from investigator.package_index.specifiers import parse_specifier, pinned_version, select

RELEASES = ["3.0b1", "2.26.0", "2.25.1", "2.25.0", "2.24", "1.9.5", "1.9", "1.0.post1", "1.0"]
VERSIONS = st.builds(
    "{}!{}.{}{}".format,
    st.integers(0, 2),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["", ".post1", "rc1", ".dev3", "+local.1"]),
)


def selected(specifier: str, *versions: str, yanked: str = "") -> list[str]:
    """Return the versions that the specifier selects."""
    listing = Listing([Version(version) for version in versions], frozenset(map(Version, yanked.split())))
    return [str(version) for version in select(listing, specifier)]


@given(VERSIONS, st.sampled_from(["", "==", "=== ", " == ", "==="]))
def test_a_pinned_version_is_that_version(version: str, operator: str) -> None:
    """As the specifier spells it."""
    assert pinned_version(operator + version) == version


@pytest.mark.parametrize(
    "specifier", [">=2.25,<3", "~=1.9", "!=1.0", "==2.*", "==1.0,!=1.1", ">=2", "> 2 , < 3", "<=2,", "!=1.*"]
)
def test_a_range_pins_no_version(specifier: str) -> None:
    """The index decides which versions match."""
    assert pinned_version(specifier) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", ",", "latest", "=1.0", "^1.0", "~1.0", "1.*", ">=", "==", "===", "=====2.26.0", "===soon"),
        *(">=1,*", ">=1,2", "(>=1)", ">=1; python_version > '3'", "==1.0 --index-url x", ">=soon", "1.0,2.0"),
        *("v", "1..0", "==1.0\x00", ">=1.*"),
        pytest.param("==" + "1" * 5000, id="more digits than Python converts"),
    ],
)
def test_nonsense_is_a_value_error(text: str) -> None:
    """Packaging 21 would take it for a specifier of before PEP 440."""
    with pytest.raises(ValueError, match=r"Invalid|needs an operator|Exceeds the limit"):
        pinned_version(text)


@given(st.text(alphabet="=<>!~*.,;+- 0123456789abdevrc"))
def test_any_text_is_a_version_or_a_specifier_or_a_value_error(text: str) -> None:
    """A specifier that is accepted can be used."""
    try:
        pinned = pinned_version(text)
    except ValueError:
        return
    if pinned is None:
        assert set(selected(text, *RELEASES)) <= set(RELEASES)
    else:
        Version(pinned)


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("", RELEASES),
        (">=2.25,<3", ["2.26.0", "2.25.1", "2.25.0"]),
        ("~=1.9", ["1.9.5", "1.9"]),
        ("~=2.25.0", ["2.25.1", "2.25.0"]),
        ("!=1.0", ["2.26.0", "2.25.1", "2.25.0", "2.24", "1.9.5", "1.9", "1.0.post1"]),
        ("==2.*", ["2.26.0", "2.25.1", "2.25.0", "2.24"]),
        ("==1.0,!=2", ["1.0"]),
        (">1.0,<1.9", []),
        (">3.0a1", ["3.0b1"]),
        (">=3.0b1,<4", ["3.0b1"]),
        (">=2.26,<3.1", ["2.26.0"]),
        (">2.26.0", ["3.0b1"]),
        (">4", []),
    ],
)
def test_a_range_selects_as_pip_does(specifier: str, expected: list[str]) -> None:
    """Pre-releases only if the specifier names one, or nothing else matches."""
    assert selected(specifier, *RELEASES) == expected


@pytest.mark.parametrize("specifier", [">=1.5,<3", "<3,>=1.5"])
def test_the_order_of_the_parts_does_not_matter(specifier: str) -> None:
    """Packaging 21 drops the pre-release for one part, and the final release for the other."""
    assert selected(specifier, "2.0rc1", "1.0") == ["2.0rc1"]


def test_a_yanked_release_is_selected_only_among_all_versions() -> None:
    """PEP 592; a final release that is yanked does not hide a pre-release."""
    assert selected(">=1", "1.1rc1", "1.0", "0.9", yanked="1.0") == ["1.1rc1"]
    assert selected("", "1.1rc1", "1.0", yanked="1.0") == ["1.1rc1", "1.0"]


def test_parts_may_be_separated_by_spaces_and_end_with_a_comma() -> None:
    """Pip ignores empty parts."""
    assert parse_specifier(" >= 1 ,, < 2, ") == parse_specifier(">=1,<2")

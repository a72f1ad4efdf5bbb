# SPDX-License-Identifier: GPL-3.0-or-later
from contextlib import suppress
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.graph.index_urls import check_index_url, normal_form, registered_spelling

WHL = "https://download.example.org/whl/cpu"
SEGMENTS = st.lists(st.text(min_size=1).filter(lambda text: text not in {".", ".."}), max_size=3)
HOSTS = st.sampled_from(["pypi.org", "pypi.example.com", "127.0.0.1", "[::1]", "pypi.python.org"])


@st.composite
def index_urls(draw: st.DrawFn) -> str:
    """Return a valid URL of an index."""
    port = draw(st.sampled_from(["", ":443", ":8443"]))
    path = "".join(f"/{quote(segment.encode(errors='replace'), safe='')}" for segment in draw(SEGMENTS))
    return f"{draw(st.sampled_from(['http', 'https']))}://{draw(HOSTS)}{port}{path}"


@pytest.mark.parametrize(
    "spelling",
    [
        f"{WHL}/",
        f"{WHL}//",
        "HTTPS://Download.Example.ORG/whl/cpu",
        "https://download.example.org:443/whl/cpu/",
        "https://download.example.org./whl/cpu",
        "https://download.example.org/%77hl/cp%75",
        "https://download.example.org/whl/./gpu/../cpu",
    ],
)
def test_spellings_of_one_index_are_equal(spelling: str) -> None:
    """Whichever of them is registered, and whichever a message has."""
    assert normal_form(spelling) == normal_form(WHL)
    assert registered_spelling(spelling, ["https://pypi.org/simple", WHL]) == WHL
    assert registered_spelling(WHL, ["https://pypi.org/simple", spelling]) == spelling


@pytest.mark.parametrize(
    "other",
    [
        "http://download.example.org/whl/cpu",
        "https://download.example.org/whl/CPU",
        "https://download.example.org:8443/whl/cpu",
        "https://download.example.org/whl",
        "https://download.example.org/whl/cpu/x",
        "https://download.example.org/whl%2Fcpu",
        "https://download.example.org/whl/cpu?x=1",
        "https://example.org/whl/cpu",
        "https://[download/whl/cpu",
    ],
)
def test_other_indexes_differ(other: str) -> None:
    """Their packages may differ as well."""
    assert registered_spelling(other, [WHL]) is None


@pytest.mark.parametrize(
    "legacy",
    [
        "https://pypi.python.org/simple",
        "https://pypi.python.org/simple/",
        "http://pypi.python.org/simple",
        "https://pypi.python.org/pypi",
        "https://PyPI.python.org:443/pypi/",
        "http://pypi.org/simple/",
    ],
)
def test_the_old_urls_of_pypi_name_pypi(legacy: str) -> None:
    """PyPI redirects from them."""
    assert registered_spelling(legacy, ["https://pypi.org/simple"]) == "https://pypi.org/simple"
    assert registered_spelling("https://pypi.org/simple", [legacy]) == legacy


def test_the_test_index_is_not_pypi() -> None:
    """It has an old name of its own."""
    assert normal_form("https://testpypi.python.org/simple/") == normal_form("https://test.pypi.org/simple")
    assert normal_form("https://test.pypi.org/simple") != normal_form("https://pypi.org/simple")


def test_international_names_of_hosts_are_equal_to_their_ascii_form() -> None:
    """A browser shows one, and copies the other."""
    assert normal_form("https://bücher.example/simple") == normal_form("https://xn--bcher-kva.example/simple")


def test_a_message_names_an_index_with_credentials_without_them() -> None:
    """A message with credentials is refused, while an operator may register a private index with them."""
    private = "https://bot:secret@pypi.example.com/simple"
    assert registered_spelling("https://pypi.example.com/simple/", [private]) == private


def test_the_same_spelling_goes_first() -> None:
    """An operator may have registered an index twice."""
    both = [f"{WHL}/", WHL]
    assert registered_spelling(WHL, both) == WHL
    assert registered_spelling(f"{WHL}/", both) == f"{WHL}/"
    assert registered_spelling(f"{WHL}//", both) == registered_spelling(f"{WHL}//", reversed(both))


@given(index_urls())
def test_the_normal_form_is_stable_and_ignores_slashes_and_case_of_the_host(url: str) -> None:
    """The normal form of a normal form is itself."""
    parts = urlsplit(url)
    form = normal_form(url)
    assert normal_form(form) == form
    assert normal_form(url + "/") == form
    assert (
        normal_form(url.replace(f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://{parts.netloc}".upper(), 1))
        == form
    )


@given(index_urls())
def test_a_valid_url_is_accepted_unless_it_has_credentials(url: str) -> None:
    """The error does not quote the password."""
    check_index_url(url)
    scheme, rest = url.split("://")
    with pytest.raises(ValueError, match="without user name and password"):
        check_index_url(f"{scheme}://user:password@{rest}")


@given(st.text())
def test_any_text_has_a_normal_form_and_is_accepted_or_a_value_error(text: str) -> None:
    """The graph may hold anything."""
    normal_form(text)
    with suppress(ValueError):
        check_index_url(text)

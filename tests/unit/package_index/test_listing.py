# SPDX-License-Identifier: GPL-3.0-or-later
import json
import logging
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.errors import TemporaryError
from investigator.package_index.listing import Answer, Listing, parse_listing

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://index.example.com/simple/flask/"


def html(body: str, charset: str | None = None) -> Answer:
    """Return an HTML answer."""
    return Answer(URL, "text/html", charset, body.encode(charset or "utf-8"))


def versions(listing: Listing) -> list[str]:
    """Return the versions as texts."""
    return [str(version) for version in listing.versions]


def test_links_of_all_forms_are_parsed() -> None:
    """Absolute and relative ones, with hashes, queries, escapes and a base; other files are skipped."""
    page = """<!DOCTYPE html><html><head><BASE HREF="https://files.example.com/f/"></head><body>
        <a href="https://files.example.com/packages/f/Flask-2.0.1-py3-none-any.whl#sha256=abc">x</a>
        <a href="../../packages/flask-1.1.tar.gz?download=1">x</a>
        <A HREF=flask-3.0%2Blocal.tar.gz>x</A>
        <a href=" flask-0.1.zip#egg=flask ">x</a>
        <a href="https://[files/flask-0.2.zip">x</a>
        <a href="flask-0.3.exe">x</a>
        <a href="/">x</a> <a href="">x</a> <a name="flask-9.0.zip">x</a>
    """
    assert versions(parse_listing(html(page), "flask")) == ["3.0+local", "2.0.1", "1.1", "0.1"]


@pytest.mark.parametrize("charset", [None, "utf-8", "latin-1", "utf-16"])
def test_the_charset_of_the_header_is_used(charset: str | None) -> None:
    """UTF-8 is the default, as HTML5 has it."""
    assert versions(parse_listing(html('<a href="flask-1.0.zip">é</a>', charset), "flask")) == ["1.0"]


def test_an_unknown_charset_is_no_error() -> None:
    """File names have ASCII letters only."""
    answer = Answer(URL, "text/html", "klingon", b'<a href="flask-1.0.zip">')
    assert versions(parse_listing(answer, "flask")) == ["1.0"]


def test_a_release_is_yanked_if_all_of_its_files_are() -> None:
    """In HTML by an attribute with or without a value, in JSON by true or a reason."""
    page = html(
        '<a data-yanked href="flask-1.0.zip"></a><a data-yanked="" href="flask-1.0.tar.gz"></a>'
        '<a data-yanked="broken" href="flask-2.0.zip"></a><a href="flask-2.0.tar.gz"></a>'
    )
    files = [
        {"filename": "flask-1.0.zip", "yanked": True},
        {"filename": "flask-1.0.tar.gz", "yanked": "broken"},
        {"filename": "flask-2.0.zip", "yanked": True},
        {"filename": "flask-2.0.tar.gz", "yanked": False},
    ]
    for answer in (page, Answer(URL, JSON, None, json.dumps({"files": files}).encode())):
        listing = parse_listing(answer, "flask")
        assert versions(listing) == ["2.0", "1.0"]
        assert [str(version) for version in listing.yanked] == ["1.0"]


def test_invalid_versions_are_left_out_with_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """PyPI lists versions from before PEP 440."""
    names = ["flask-1.0.zip", "flask-2004d.zip", "flask-dev.zip", f"flask-{'1' * 5000}.zip", "flask-.zip"]
    body = json.dumps({"files": [{"filename": name} for name in names], "versions": ["final"]})
    with caplog.at_level(logging.INFO):
        assert versions(parse_listing(Answer(URL, JSON, None, body.encode()), "flask")) == ["1.0"]
    (record,) = caplog.records
    assert "package=flask count=5 first='final'" in record.getMessage()


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>Links for Zope_Interface</title></head><body></body></html>",
        "<html><body><h1>Index of /simple/zope.interface/</h1><a href='../'>../</a></body></html>",
        "<html><body></body></html>",
        '<html><meta name="pypi:repository-version" content="1.3"><script>track()</script>No files</html>',
        "<h1>Links for zope-interface</h1><a href='zope.interface-1.0.exe'>zope.interface-1.0.exe</a>",
    ],
)
def test_a_page_of_the_project_without_distributions_is_empty(page: str) -> None:
    """Only such a page proves that there are no versions."""
    assert parse_listing(html(page), "zope-interface") == Listing([], frozenset())


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><form>zope-interface<button>Log in</button></form></html>",
        "<html><title>zope-interface</title><iframe src='https://sso.example.com/'></iframe></html>",
        "<html><body><h1>502 Bad Gateway</h1></body></html>",
        "<html><head><title>Simple index</title></head><a href='flask/'>flask</a></html>",
        "<html><script>location = '/login?next=/simple/zope-interface/'</script>Please wait</html>",
        "zope-interface",
    ],
)
def test_another_page_is_no_empty_listing(page: str) -> None:
    """The message would be lost."""
    with pytest.raises(TemporaryError, match="no listing of the project"):
        parse_listing(html(page), "zope-interface")


@given(st.binary() | st.text().map(str.encode), st.sampled_from([JSON, "text/html", ""]))
def test_any_answer_is_a_listing_or_a_temporary_error(body: bytes, media_type: str) -> None:
    """An index can send anything."""
    with suppress(TemporaryError):
        parse_listing(Answer(URL, media_type, None, body), "flask")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["filename", "yanked", "url", "versions"]), inner),
)


@given(st.dictionaries(st.sampled_from(["meta", "name", "files", "versions"]), JSON_VALUES))
def test_any_json_object_is_a_listing_or_a_temporary_error(content: dict[str, object]) -> None:
    """No entry of a wrong type is a defect of the worker."""
    with suppress(TemporaryError):
        parse_listing(Answer(URL, JSON, None, json.dumps(content).encode()), "flask")

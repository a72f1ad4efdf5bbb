# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded package index, as thoth-python reads it."""

import pytest
import requests
from thoth.python import AIOSource, Source
from thoth.python.exceptions import NotFoundError

from sandbox.faults import Fault
from sandbox.package_index import HTML, JSON, MAIN, CannedAnswer, PackageIndexServer

# thoth-python's beautifulsoup4 passes an option to lxml that lxml 6 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The 'strip_cdata' option:DeprecationWarning")


def versions_of(package_index: PackageIndexServer, name: str) -> list[str]:
    """Return the versions of a package without the answers that thoth-python has cached."""
    Source.get_package_versions.cache_clear()
    return [str(version) for version in Source(package_index.index_url()).get_sorted_package_versions(name)]


def test_thoth_python_sorts_the_versions_from_newest_to_oldest(package_index: PackageIndexServer) -> None:
    """It reads them from the names of source distributions and wheels."""
    package_index.add("flask", "2.0.10", "2.0.9")
    assert versions_of(package_index, "flask") == ["2.1.3", "2.0.10", "2.0.9", "2.0.3", "1.1.4"]
    assert versions_of(package_index, "thoth-common") == ["0.36.6", "0.36.5"]


def test_added_and_removed_versions_are_visible_at_once(package_index: PackageIndexServer) -> None:
    """A test may change a running index; a reset restores its initial content."""
    package_index.add("nodebox", "1.0", index="other/simple")
    package_index.remove("flask", "1.1.4", "2.0.3")
    assert versions_of(package_index, "flask") == ["2.1.3"]
    assert [str(version) for version in Source(package_index.index_url("other/simple")).get_packages()] == ["nodebox"]
    package_index.remove("flask")
    with pytest.raises(NotFoundError):
        versions_of(package_index, "flask")
    package_index.reset()
    assert len(versions_of(package_index, "flask")) == 3


async def test_the_asynchronous_client_reads_the_same_versions(package_index: PackageIndexServer) -> None:
    """The test compares sets, because thoth-python 0.17.0 does not sort asynchronous results correctly."""
    versions = await AIOSource(package_index.index_url()).get_package_versions("click")
    assert {version async for version in versions} == {"8.1.3", "8.0.4", "7.1.2"}


@pytest.mark.parametrize(
    ("accept", "media_types", "expected"),
    [
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", (JSON, HTML, "text/html"), JSON),
        (f"{JSON}; q=0.1, text/html", (JSON, HTML, "text/html"), "text/html"),
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", (HTML, "text/html"), HTML),
        (f"{JSON}, text/html; q=0.01", ("text/html",), "text/html"),
        ("*/*", (JSON, HTML, "text/html"), "text/html"),
    ],
)
def test_the_media_type_is_negotiated(
    package_index: PackageIndexServer, accept: str, media_types: tuple[str, ...], expected: str
) -> None:
    """JSON of PEP 691 or HTML of PEP 503, by the qualities of the Accept header."""
    package_index.media_types = media_types
    package_index.yanked.add("flask-1.1.4.tar.gz")
    answer = requests.get(f"{package_index.index_url()}/flask/", headers={"Accept": accept}, timeout=5)
    assert answer.headers["Content-Type"].partition(";")[0] == expected
    assert answer.headers["Content-Encoding"] == "gzip"
    if expected == JSON:
        assert answer.json()["meta"] == {"api-version": "1.1"}
        assert answer.json()["versions"] == ["1.1.4", "2.0.3", "2.1.3"]
        assert [file["filename"] for file in answer.json()["files"] if file["yanked"]] == ["flask-1.1.4.tar.gz"]
    else:
        assert answer.text.count("<a ") == 6
        assert answer.text.count("data-yanked") == 1


@pytest.mark.parametrize("name", ["thoth-common", "Thoth_Common", "Thoth.Common/"])
def test_other_spellings_are_redirected_to_the_normalized_name_with_a_slash(
    package_index: PackageIndexServer, name: str
) -> None:
    """As PyPI does."""
    answer = requests.get(f"{package_index.index_url()}/{name}", timeout=5)
    assert [each.status_code for each in answer.history] == [301]
    assert answer.url == f"{package_index.index_url()}/thoth-common/"


def test_a_canned_answer_is_sent_as_it_is(package_index: PackageIndexServer) -> None:
    """Until the next reset."""
    package_index.canned[f"{MAIN}/flask"] = CannedAnswer(b"<form>", "text/html", 203)
    answer = requests.get(f"{package_index.index_url()}/flask/", timeout=5)
    assert (answer.status_code, answer.content) == (203, b"<form>")
    package_index.reset()
    assert len(versions_of(package_index, "flask")) == 3


def test_an_unknown_package_is_answered_with_404(package_index: PackageIndexServer) -> None:
    """So is a package on an unknown index."""
    for url in (package_index.index_url(), package_index.index_url("nowhere")):
        with pytest.raises(NotFoundError):
            Source(url).get_sorted_package_versions("no-such-package")


def test_faults_can_be_limited_to_one_package(package_index: PackageIndexServer) -> None:
    """Requests for other packages succeed."""
    package_index.faults.set(Fault(effect="status", status=503, path="*/flask/"))
    with pytest.raises(requests.HTTPError):
        versions_of(package_index, "flask")
    assert versions_of(package_index, "click")
    assert package_index.request_log.statuses() == {301: 2, 503: 1, 200: 1}

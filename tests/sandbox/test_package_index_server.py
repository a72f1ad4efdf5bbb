# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded package index, read by thoth-python."""

import pytest
import requests
from thoth.python import AIOSource, Source
from thoth.python.exceptions import NotFoundError

from sandbox.faults import Fault
from sandbox.package_index import PackageIndexServer

# thoth-python's beautifulsoup4 passes an option to lxml that lxml 6 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The 'strip_cdata' option:DeprecationWarning")


def versions_of(package_index: PackageIndexServer, name: str) -> list[str]:
    """Look versions up as a process that has asked for nothing before: the class keeps its answers."""
    Source.get_package_versions.cache_clear()
    return [str(version) for version in Source(package_index.index_url()).get_sorted_package_versions(name)]


def test_versions_come_latest_first(package_index: PackageIndexServer) -> None:
    """Guarantee: thoth-python reads the listed versions off source distributions and wheels, and sorts them."""
    package_index.add("flask", "2.0.10", "2.0.9")
    assert versions_of(package_index, "flask") == ["2.1.3", "2.0.10", "2.0.9", "2.0.3", "1.1.4"]
    assert versions_of(package_index, "thoth-common") == ["0.36.6", "0.36.5"]


def test_versions_added_and_removed_are_seen(package_index: PackageIndexServer) -> None:
    """Guarantee: what an index lists may be changed while it runs, and a reset brings the first state back."""
    package_index.add("nodebox", "1.0", index="other/simple")
    package_index.remove("flask", "1.1.4", "2.0.3")
    assert versions_of(package_index, "flask") == ["2.1.3"]
    assert [str(version) for version in Source(package_index.index_url("other/simple")).get_packages()] == ["nodebox"]
    package_index.remove("flask")
    with pytest.raises(NotFoundError):
        versions_of(package_index, "flask")
    package_index.reset()
    assert len(versions_of(package_index, "flask")) == 3


async def test_the_asynchronous_client_reads_it(package_index: PackageIndexServer) -> None:
    """Guarantee: thoth-python's asynchronous source sees the same versions (its sorting is broken in 0.17.0)."""
    found = await AIOSource(package_index.index_url()).get_package_versions("click")
    assert {version async for version in found} == {"8.1.3", "8.0.4", "7.1.2"}


def test_an_unknown_package_is_not_found(package_index: PackageIndexServer) -> None:
    """Guarantee: a package that is not listed is 404, on an index that is there and on one that is not."""
    for url in (package_index.index_url(), package_index.index_url("nowhere")):
        with pytest.raises(NotFoundError):
            Source(url).get_sorted_package_versions("no-such-package")


def test_faults_apply(package_index: PackageIndexServer) -> None:
    """Guarantee: the index can be made to fail for one package and not for another."""
    package_index.faults.set(Fault(effect="status", status=503, path="*/flask"))
    with pytest.raises(requests.HTTPError):
        versions_of(package_index, "flask")
    assert versions_of(package_index, "click")
    assert package_index.request_log.statuses() == {503: 1, 200: 1}

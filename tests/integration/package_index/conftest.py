# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of package indexes, and the sandbox's indexes."""

from collections.abc import Iterator

import pytest

from investigator.package_index.client import PackageIndex
from investigator.resilience.quick_retries import CallPolicy
from sandbox.package_index import PackageIndexServer
from tests.support.impatient_breakers import impatient_breakers


@pytest.fixture
def server() -> Iterator[PackageIndexServer]:
    """A server with the sandbox's packages."""
    with PackageIndexServer() as server:
        yield server


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """A client with short timeouts, which makes no quick retry after a second."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0), 0.3, impatient_breakers("index"))
    yield index
    index.close()


@pytest.fixture
def impatient() -> Iterator[PackageIndex]:
    """A client without quick retries."""
    index = PackageIndex(CallPolicy(threads=4, retry_budget=1.0, max_attempts=1), 0.5, impatient_breakers("index"))
    yield index
    index.close()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker of these tests; all that other tests do on the shared one is done on this one here."""

from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from tests.apache_kafka.security.secured import Secured, secured_broker


@pytest.fixture(scope="package")
def secured(apache: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with every way in."""
    del apache
    with secured_broker(tmp_path_factory.mktemp("secured")) as secured:
        yield secured


@pytest.fixture(scope="package")
def broker(secured: Secured) -> Broker:
    """The same broker, by the way that asks for nothing and allows everything."""
    return secured.broker

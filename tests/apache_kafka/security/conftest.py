# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the security tests: the secured broker takes the place of the shared one."""

from collections.abc import Iterator

import pytest

from sandbox.broker import Broker
from tests.apache_kafka.security.secured_broker import SecuredBroker, running_secured_broker


@pytest.fixture(scope="package")
def secured(apache_kafka_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with a listener for each security protocol."""
    del apache_kafka_programs
    with running_secured_broker(tmp_path_factory.mktemp("secured")) as secured:
        yield secured


@pytest.fixture(scope="package")
def broker(secured: SecuredBroker) -> Broker:
    """The same broker by its plaintext listener, whose user is a superuser."""
    return secured.broker

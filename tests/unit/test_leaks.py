# SPDX-License-Identifier: GPL-3.0-or-later
import gc
import socket
import threading
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import leaks
from tests.support.leaks import describe, failure_on_open_connections, left_open, open_sockets

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open sockets are read from /proc")


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a quarter of a second, instead of two, for sockets that another thread closes."""
    monkeypatch.setattr(leaks, "_TIMEOUT_SECONDS", 0.25)


def test_a_socket_left_open_is_found_and_described_by_its_port() -> None:
    """The kernel's tables name the port of a listening socket."""
    before = open_sockets()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        found = left_open(before)
        assert len(found) == 1
        assert describe(found).endswith(f": tcp listening on port {server.getsockname()[1]}")


def test_both_ends_of_a_connection_are_described_by_their_ports() -> None:
    """The remote port shows which server a leaked connection leads to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        before = open_sockets()
        with closing(socket.create_connection(("127.0.0.1", port))) as client, closing(server.accept()[0]):
            own = client.getsockname()[1]
            lines = sorted(line.partition(": ")[2] for line in describe(left_open(before)).splitlines())
    assert lines == sorted([f"tcp from port {own} to port {port}", f"tcp from port {port} to port {own}"])


def test_a_unix_socket_is_described_by_its_path(tmp_path: Path) -> None:
    """PostgreSQL's clients may use such sockets."""
    before = open_sockets()
    path = str(tmp_path / "socket")
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(path)
        assert describe(left_open(before)).endswith(f": unix {path}")


def test_a_closed_socket_is_not_found() -> None:
    """A test may open connections, as long as it closes them."""
    before = open_sockets()
    socket.create_server(("127.0.0.1", 0)).close()
    assert left_open(before) == frozenset()


def test_a_socket_that_was_open_before_is_not_found() -> None:
    """It belongs to a fixture of the session or the module."""
    with closing(socket.create_server(("127.0.0.1", 0))):
        assert left_open(open_sockets()) == frozenset()


def test_a_socket_that_another_thread_closes_within_the_timeout_is_not_found() -> None:
    """A server closes its end of a connection some time after the client."""
    before = open_sockets()
    server = socket.create_server(("127.0.0.1", 0))
    timer = threading.Timer(0.05, server.close)
    timer.start()
    assert left_open(before) == frozenset()
    timer.join()


def test_an_unreachable_socket_is_collected_and_reported_at_once() -> None:
    """The ResourceWarning fails the test that left the socket; it does not wait for a collection in a later test."""
    before = open_sockets()
    gc.disable()
    try:
        cycle: list[object] = [socket.create_server(("127.0.0.1", 0))]
        cycle.append(cycle)
        del cycle
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert left_open(before) == frozenset()
    finally:
        gc.enable()
    assert [each.category for each in caught] == [ResourceWarning]


def test_a_body_that_leaves_a_connection_open_fails_with_its_port() -> None:
    """The test that opened the connection fails."""
    opened = []
    with pytest.raises(pytest.fail.Exception, match="listening on port"), failure_on_open_connections():
        opened.append(socket.create_server(("127.0.0.1", 0)))
    opened[0].close()


def test_a_body_that_closes_its_connections_does_not_fail() -> None:
    """The check passes without output."""
    with failure_on_open_connections():
        socket.create_server(("127.0.0.1", 0)).close()

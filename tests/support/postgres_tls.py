# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS in front of a PostgreSQL server, as a connection pooler provides it; the server of the wheel is built without."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.tcp_ports import HOST
from tests.support.certificates import CertificateFiles

#: The first packet of a client that wants TLS: its length, and the code of the request.
TLS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, upstream: int, context: ssl.SSLContext | None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.upstream, self.context, self.received = upstream, context, bytearray()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the types of the base
        """Ignore connections that a client ends, as it does when it does not trust the certificate."""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Answer the request for TLS; then pass all bytes on, or collect what a client sends without TLS."""
        server = self.server
        assert isinstance(server, _Server)
        request = self.request.recv(8)
        server.received += request
        if server.context is None:
            self.request.sendall(b"N")
            server.received += self.request.recv(1000)
        elif request == TLS_REQUEST:
            self.request.sendall(b"S")
            _join(server.context.wrap_socket(self.request, server_side=True), server.upstream)


def _join(client: ssl.SSLSocket, port: int) -> None:
    with socket.create_connection((HOST, port)) as upstream, client:
        threading.Thread(target=_copy, args=(upstream, client), daemon=True).start()
        _copy(client, upstream)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other direction has closed both


@contextmanager
def postgres_tls(port: int, certificate: CertificateFiles | None) -> Iterator[_Server]:
    """Serve TLS for the PostgreSQL server at a port; without a certificate, refuse TLS and collect the requests."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
    with _Server(port, context) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()

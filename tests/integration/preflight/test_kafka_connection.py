# SPDX-License-Identifier: GPL-3.0-or-later
"""Explanations of failed connections, also to brokers that are slow to reject them."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from investigator.preflight.kafka_connection import explain_connection_failure
from sandbox.tcp_ports import HOST
from tests.support.certificates import LOCAL, Authority

# Longer than a broker takes on an idle machine.
_DELAY_SECONDS = 1.2


@contextlib.contextmanager
def _demanding_broker(tls: ssl.SSLContext) -> Iterator[int]:
    """Run a server that rejects clients without a certificate, slowly; yield its port."""
    with socket.create_server((HOST, 0)) as server:

        def refuse() -> None:
            # accept() fails when the server is closed.
            with contextlib.suppress(OSError):
                while True:
                    _refuse(server.accept()[0], tls)

        thread = threading.Thread(target=refuse)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _refuse(client: socket.socket, tls: ssl.SSLContext) -> None:
    """Do the TLS handshake up to the client's last message, and delay the alert that answers it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    broker = tls.wrap_bio(incoming, outgoing, server_side=True)
    with client:
        while True:
            try:
                broker.do_handshake()
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(2**16))
            except ssl.SSLError:
                time.sleep(_DELAY_SECONDS)
                client.sendall(outgoing.read())
                return


async def test_the_alert_of_a_busy_broker_that_rejects_a_certificate_is_explained(tmp_path: Path) -> None:
    """The alert comes late, after the handshake, and nothing else names the reason."""
    authority = Authority(tmp_path, "authority")
    broker = authority.sign("broker", LOCAL)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(broker.certificate, broker.key)
    tls.load_verify_locations(authority.certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    without = ssl.create_default_context(cafile=str(authority.certificate))

    with _demanding_broker(tls) as port:
        options = {"bootstrap_servers": [f"{HOST}:{port}"], "security_protocol": "SSL", "ssl_context": without}
        explanation = await asyncio.wait_for(explain_connection_failure(options), 60)

    assert "KAFKA_SSL_CERTIFICATE_LOCATION has to be one" in explanation

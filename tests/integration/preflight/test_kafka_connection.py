# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of brokers that let nobody in, however slowly they say it."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from investigator.preflight.kafka_connection import explain_connection_failure
from sandbox.ports import HOST
from tests.support.certificates import LOCAL, Authority

# Longer than a broker takes that has all of a machine to itself.
_DELAY_SECONDS = 1.2


@contextlib.contextmanager
def _demanding_broker(tls: ssl.SSLContext) -> Iterator[int]:
    """Let nobody in without a certificate, and be slow to say so; gives the port."""
    with socket.create_server((HOST, 0)) as server:

        def refuse() -> None:
            # Ends when the server is closed.
            with contextlib.suppress(OSError):
                while True:
                    _refuse(server.accept()[0], tls)

        thread = threading.Thread(target=refuse)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _refuse(client: socket.socket, tls: ssl.SSLContext) -> None:
    """Shake hands up to the client's last word, and answer that late."""
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


async def test_a_busy_broker_that_refuses_a_certificate_is_understood(tmp_path: Path) -> None:
    """Its alert comes after the handshake, and late: it is waited for, since nothing else tells the reason."""
    authority = Authority(tmp_path, "authority")
    own = authority.sign("broker", LOCAL)
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.load_cert_chain(own.certificate, own.key)
    demanding.load_verify_locations(authority.certificate)
    demanding.verify_mode = ssl.CERT_REQUIRED
    without = ssl.create_default_context(cafile=str(authority.certificate))

    with _demanding_broker(demanding) as port:
        options = {"bootstrap_servers": [f"{HOST}:{port}"], "security_protocol": "SSL", "ssl_context": without}
        said = await asyncio.wait_for(explain_connection_failure(options), 60)

    assert "KAFKA_SSL_CERTIFICATE_LOCATION has to be one" in said

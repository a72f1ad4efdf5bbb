# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that are replaced in place are used at the next connection, and no former one is."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from investigator.kafka.options import ssl_context
from investigator.settings import load_settings
from sandbox.tcp_ports import HOST
from tests.support.certificates import LOCAL, Authority, CertificateFiles
from tests.support.required_settings import REQUIRED


class Files:
    """The mounted files of a worker.

    Attributes:
        context: the context that was made of their first content.
    """

    def __init__(self, folder: Path, authority: Authority, client: CertificateFiles) -> None:
        self._ca, self._certificate, self._key = folder / "ca", folder / "certificate", folder / "key"
        self.replace(authority, client)
        made = ssl_context(
            load_settings(
                REQUIRED
                | {
                    "KAFKA_SECURITY_PROTOCOL": "SSL",
                    "KAFKA_SSL_CA_LOCATION": str(self._ca),
                    "KAFKA_SSL_CERTIFICATE_LOCATION": str(self._certificate),
                    "KAFKA_SSL_KEY_LOCATION": str(self._key),
                }
            )
        )
        assert made is not None
        self.context = made

    def replace(self, authority: Authority, client: CertificateFiles) -> None:
        """Write other content in place."""
        self.replace_certificate(client)
        _write(self._ca, authority.certificate)
        _write(self._key, client.key)

    def replace_certificate(self, client: CertificateFiles) -> None:
        """Write another certificate, which does not match the key."""
        _write(self._certificate, client.certificate)


def _write(target: Path, source: Path) -> None:
    # As Kubernetes does it: the name points to another file afterwards.
    new = target.with_suffix(".new")
    new.write_bytes(source.read_bytes())
    new.replace(target)


@asynccontextmanager
async def broker(authority: Authority, certificate: CertificateFiles) -> AsyncIterator[int]:
    """Serve TLS to clients whose certificates the authority has signed, and greet them; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, HOST, 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def _greeting(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    try:
        return await reader.read(5)
    finally:
        writer.transport.abort()


@pytest.fixture
def old(tmp_path: Path) -> Authority:
    """The authority before the rotation."""
    return Authority(tmp_path, "old")


@pytest.fixture
def new(tmp_path: Path) -> Authority:
    """The authority after it."""
    return Authority(tmp_path, "new")


def _rotated(folder: Path, old: Authority, new: Authority) -> Files:
    """Return files of the former authority that were replaced by those of the new one."""
    files = Files(folder, old, old.sign("client", LOCAL))
    files.replace(new, new.sign("new-client", LOCAL))
    return files


async def test_a_new_connection_uses_the_replaced_files(tmp_path: Path, old: Authority, new: Authority) -> None:
    """The broker is trusted by the new authority, and it trusts the client by that."""
    files = Files(tmp_path, old, old.sign("client", LOCAL))
    async with broker(old, old.sign("broker", LOCAL)) as port:
        assert await _greeting(port, files.context) == b"hello"
    files.replace(new, new.sign("new-client", LOCAL))
    async with broker(new, new.sign("new-broker", LOCAL)) as port:
        assert await _greeting(port, files.context) == b"hello"


async def test_the_former_authority_is_not_trusted_any_more(tmp_path: Path, old: Authority, new: Authority) -> None:
    """An authority is also replaced because its key was stolen."""
    files = _rotated(tmp_path, old, new)
    async with broker(old, old.sign("broker", LOCAL)) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await _greeting(port, files.context)


async def test_files_that_do_not_match_yet_change_nothing(
    tmp_path: Path, old: Authority, new: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """They are replaced one after the other, and a connection may come in between; that is said once."""
    files = Files(tmp_path, old, old.sign("client", LOCAL))
    newer = new.sign("new-client", LOCAL)
    files.replace_certificate(newer)
    async with broker(old, old.sign("broker", LOCAL)) as port:
        for _ in range(2):
            assert await _greeting(port, files.context) == b"hello"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    files.replace(new, newer)
    async with broker(new, new.sign("new-broker", LOCAL)) as port:
        assert await _greeting(port, files.context) == b"hello"


async def test_the_host_is_still_checked_after_a_change(tmp_path: Path, old: Authority, new: Authority) -> None:
    """The options of the context are those of the settings, as before."""
    files = _rotated(tmp_path, old, new)
    async with broker(new, new.sign("new-broker", LOCAL)) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await asyncio.open_connection(HOST, port, ssl=files.context, server_hostname="broker.example.com")

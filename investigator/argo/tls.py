# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts for the cluster's API."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The paths of the certificate authority, and of the client's certificate and key; None for those not needed."""

    authority: str | None = None
    certificate: str | None = None
    key: str | None = None

    def paths(self) -> Iterator[str]:
        """Yield the paths that are set."""
        yield from filter(None, (self.authority, self.certificate, self.key))

    def content(self) -> tuple[bytes, ...]:
        """Return the content of the files. Raises OSError if one can't be read."""
        return tuple(Path(path).read_bytes() for path in self.paths())


def tls_context(files: TlsFiles, *, verify: bool) -> ssl.SSLContext:
    """Return a TLS context that trusts the common authorities and that of the cluster.

    Args:
        files: the authority of the cluster, and the certificate and the key of the client.
        verify: whether the server's certificate and host name are verified.

    Raises:
        OSError: a file can't be read, or the key does not belong to the certificate.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    # The self-made authorities of clusters often lack extensions that newer versions of Python require by default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if files.authority:
        context.load_verify_locations(files.authority)
    if files.certificate:
        context.load_cert_chain(files.certificate, files.key)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

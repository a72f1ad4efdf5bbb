# SPDX-License-Identifier: GPL-3.0-or-later
"""An authority that signs certificates of brokers and clients."""

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file with the key and the certificate, as brokers want it."""
        both = self.key.with_suffix(".both")
        both.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return both


class Authority:
    """Signs certificates; its own is the file `certificate`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        signed = _builder(self._name, self._key.public_key(), self._name).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def sign(self, name: str, host: x509.GeneralName, *, password: str = "", expired: bool = False) -> Pair:
        """Make a certificate of that name and host, its key encrypted where there is a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, key.public_key(), _named(name), -2 * _DAY if expired else 0 * _DAY)
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password.encode())
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        pair.key.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption))
        return pair


LOCAL = x509.IPAddress(ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("broker.example.com")


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(
    issuer: x509.Name, key: ec.EllipticCurvePublicKey, subject: x509.Name, shift: dt.timedelta = 0 * _DAY
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc) + shift
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(now - _DAY).not_valid_after(now + _DAY)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for tests: signs certificates of brokers and clients."""

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
class CertificateFiles:
    """The PEM files of a certificate and of its private key."""

    certificate: Path
    key: Path

    @property
    def combined(self) -> Path:
        """One file with the key and the certificate, the form of a PEM keystore of Kafka's brokers."""
        combined = self.key.with_suffix(".combined")
        combined.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return combined


class Authority:
    """A certificate authority with a key of its own.

    Attributes:
        certificate: the PEM file of the authority's own certificate.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _common_name(name)
        signed = _builder(self._name, self._key.public_key(), self._name).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def sign(self, name: str, host: x509.GeneralName, *, password: str = "", expired: bool = False) -> CertificateFiles:
        """Sign a certificate and write it and its key as <name>.crt and <name>.key.

        Args:
            name: the common name of the subject.
            host: the subject's alternative name: the host that clients check.
            password: the password that encrypts the key; without it, the key is in clear text.
            expired: whether the certificate expired yesterday.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, key.public_key(), _common_name(name), -2 * _DAY if expired else 0 * _DAY)
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password.encode())
        files = CertificateFiles(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        files.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        files.key.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption))
        return files


LOCAL = x509.IPAddress(ip_address("127.0.0.1"))
OTHER_HOST = x509.DNSName("broker.example.com")


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(
    issuer: x509.Name, key: ec.EllipticCurvePublicKey, subject: x509.Name, shift: dt.timedelta = 0 * _DAY
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc) + shift
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(now - _DAY).not_valid_after(now + _DAY)

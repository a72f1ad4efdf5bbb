# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker with a listener for each security protocol of the settings, and ACLs that deny by default."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.apache_kafka import ApacheKafka, Listener
from tests.support.certificates import LOCAL, OTHER_HOST, Authority, CertificateFiles

Variables = dict[str, str]

KEY_PASSWORD = "opens sesame"
PASSWORDS = {"investigator": "open-sesame", "limited": "little-power"}
_JAAS = "org.apache.kafka.common.security"


class SecuredBroker:
    """The broker, and the certificates and passwords of its clients.

    The user `investigator` is a superuser; the user `limited` may do only what a test allows it.

    Attributes:
        ca: the file of the authority that the broker trusts, and that signed the broker's certificates.
        other_ca: the file of an authority that the broker does not trust.
        client: a valid certificate of the user `investigator`; its key has the password KEY_PASSWORD.
        expired: a certificate of `ca` that has expired.
        unknown: a certificate of `other_ca`.
        broker: the broker itself.
    """

    def __init__(self, folder: Path) -> None:
        authority, other = Authority(folder, "authority"), Authority(folder, "another")
        self.ca, self.other_ca = authority.certificate, other.certificate
        self.client = authority.sign("investigator", LOCAL, password=KEY_PASSWORD)
        self.expired = authority.sign("expired", LOCAL, expired=True)
        self.unknown = other.sign("unknown", LOCAL)
        server = authority.sign("broker", LOCAL)
        listeners = {
            "MUTUAL": self._mutual_tls(server),
            "MISNAMED": self._mutual_tls(authority.sign("misnamed", OTHER_HOST)),
            "OUTDATED": self._mutual_tls(authority.sign("outdated", LOCAL, expired=True)),
            "LOGIN": Listener("SASL_SSL", {**_sasl(), **_keystore(server), **self._truststore("none")}),
            "PLAINLOGIN": Listener("SASL_PLAINTEXT", _sasl()),
        }
        config = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:investigator",
            "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+)$/$1/",
        }
        self.broker = ApacheKafka(listeners=listeners, config=config, scram=PASSWORDS)

    def _mutual_tls(self, files: CertificateFiles) -> Listener:
        return Listener("SSL", {**_keystore(files), **self._truststore("required")})

    def _truststore(self, client_auth: str) -> dict[str, str]:
        location = {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.ca)}
        return {**location, "ssl.client.auth": client_auth}

    def ssl_variables(self, files: CertificateFiles | None = None, listener: str = "MUTUAL") -> Variables:
        """Return a worker's variables for a connection with a client certificate; by default the valid one."""
        shown = files or self.client
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.address(listener),
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_LOCATION": str(self.ca),
            "KAFKA_SSL_CERTIFICATE_LOCATION": str(shown.certificate),
            "KAFKA_SSL_KEY_LOCATION": str(shown.key),
            **({"KAFKA_SSL_KEY_PASSWORD": KEY_PASSWORD} if shown is self.client else {}),
        }

    def sasl_variables(self, protocol: str, mechanism: str, user: str = "investigator") -> Variables:
        """Return a worker's variables for a connection with a user name and a password."""
        encrypted = protocol == "SASL_SSL"
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.address("LOGIN" if encrypted else "PLAINLOGIN"),
            "KAFKA_SECURITY_PROTOCOL": protocol,
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORDS[user],
            **({"KAFKA_SSL_CA_LOCATION": str(self.ca)} if encrypted else {}),
        }


def _keystore(files: CertificateFiles) -> dict[str, str]:
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(files.combined)}


def _sasl() -> dict[str, str]:
    users = " ".join(f'user_{name}="{password}"' for name, password in PASSWORDS.items())
    return {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "plain.sasl.jaas.config": f"{_JAAS}.plain.PlainLoginModule required {users};",
        "scram-sha-512.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
    }


@contextmanager
def running_secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """Start a secured broker whose certificates lie in the folder, and stop it at the end."""
    secured = SecuredBroker(folder)
    with secured.broker:
        yield secured

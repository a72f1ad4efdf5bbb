# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker with all the ways in that the settings know, where nobody may do what was not allowed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.apache_kafka import ApacheKafka, Listener
from tests.support.certificates import ELSEWHERE, LOCAL, Authority, Pair

Variables = dict[str, str]

KEY_PASSWORD = "opens sesame"
PASSWORDS = {"investigator": "open-sesame", "limited": "little-power"}
_JAAS = "org.apache.kafka.common.security"


class Secured:
    """The broker and what clients need to be let in by it.

    Attributes:
        ca: the file of the authority that signed everything that is right.
        client: the certificate of the user `investigator`, whose key has the password KEY_PASSWORD.
        expired: one of the past.
        unknown: one that another authority signed, whose own is `other_ca`.
    """

    def __init__(self, folder: Path) -> None:
        authority, other = Authority(folder, "authority"), Authority(folder, "another")
        self.ca, self.other_ca = authority.certificate, other.certificate
        self.client = authority.sign("investigator", LOCAL, password=KEY_PASSWORD)
        self.expired = authority.sign("expired", LOCAL, expired=True)
        self.unknown = other.sign("unknown", LOCAL)
        server = authority.sign("broker", LOCAL)
        listeners = {
            "MUTUAL": self._encrypted(server),
            "MISNAMED": self._encrypted(authority.sign("misnamed", ELSEWHERE)),
            "OUTDATED": self._encrypted(authority.sign("outdated", LOCAL, expired=True)),
            "LOGIN": Listener("SASL_SSL", {**_passwords(), **_store(server), **self._trust("none")}),
            "PLAINLOGIN": Listener("SASL_PLAINTEXT", _passwords()),
        }
        config = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:investigator",
            "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+)$/$1/",
        }
        self.broker = ApacheKafka(listeners=listeners, config=config, scram=PASSWORDS)

    def _encrypted(self, pair: Pair) -> Listener:
        return Listener("SSL", {**_store(pair), **self._trust("required")})

    def _trust(self, client_auth: str) -> dict[str, str]:
        location = {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.ca)}
        return {**location, "ssl.client.auth": client_auth}

    def by_certificate(self, pair: Pair | None = None, listener: str = "MUTUAL") -> Variables:
        """Give the variables for a way in that asks for a certificate; by default the right one."""
        shown = pair or self.client
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.address(listener),
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_LOCATION": str(self.ca),
            "KAFKA_SSL_CERTIFICATE_LOCATION": str(shown.certificate),
            "KAFKA_SSL_KEY_LOCATION": str(shown.key),
            **({"KAFKA_SSL_KEY_PASSWORD": KEY_PASSWORD} if shown is self.client else {}),
        }

    def by_password(self, protocol: str, mechanism: str, user: str = "investigator") -> Variables:
        """Give the variables for a way in that asks for a password."""
        encrypted = protocol == "SASL_SSL"
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.address("LOGIN" if encrypted else "PLAINLOGIN"),
            "KAFKA_SECURITY_PROTOCOL": protocol,
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORDS[user],
            **({"KAFKA_SSL_CA_LOCATION": str(self.ca)} if encrypted else {}),
        }


def _store(pair: Pair) -> dict[str, str]:
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(pair.both)}


def _passwords() -> dict[str, str]:
    users = " ".join(f'user_{name}="{password}"' for name, password in PASSWORDS.items())
    return {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "plain.sasl.jaas.config": f"{_JAAS}.plain.PlainLoginModule required {users};",
        "scram-sha-512.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
    }


@contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """Start it, and stop it at the end."""
    secured = Secured(folder)
    with secured.broker:
        yield secured

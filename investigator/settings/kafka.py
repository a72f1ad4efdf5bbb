# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the connection to Kafka."""

from typing import Literal

from investigator.settings.base import SettingsGroup
from investigator.settings.types import (
    AutoCommit,
    Bytes,
    Flag,
    Milliseconds,
    NonNegativeSeconds,
    Password,
    PasswordOrFile,
    PositiveInt,
    ReadableFile,
    Seconds,
    Servers,
    TopicPrefix,
)


class KafkaSettings(SettingsGroup):
    """Kafka."""

    kafka_bootstrap_servers: Servers
    """Where to find the brokers at first; they name the others themselves."""

    kafka_consumer_group_id: str
    """The consumer group. Each deployment that runs other modes needs a group of its own: within one group every
    message goes to one worker only, whatever that worker's modes."""

    thoth_deployment_name: TopicPrefix
    """Goes before the base name of every topic, and tells apart the metrics of several deployments."""

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to the brokers: encrypted (SSL), with a user name and password (SASL), both or neither."""

    kafka_ssl_ca_location: ReadableFile | None = None
    """The authorities whose certificates brokers may show. Without it, those that the system trusts."""

    kafka_ssl_certificate_location: ReadableFile | None = None
    """The worker's own certificate, where brokers want one."""

    kafka_ssl_key_location: ReadableFile | None = None
    """The private key of that certificate, unless it is in the same file."""

    kafka_ssl_key_password: PasswordOrFile | None = None
    """Opens the private key, where it is encrypted."""

    kafka_ssl_endpoint_identification_algorithm: Literal["https", "none"] = "https"
    """`none` switches off the check that a broker's certificate names its host."""

    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """How the password is proved; required with SASL, because the brokers decide it."""

    kafka_sasl_username: str | None = None
    """Who the worker is; required with SASL."""

    kafka_sasl_password: Password | None = None
    """The proof of it; required with SASL."""

    kafka_client_id: str = "investigator"
    """What brokers call the worker in their own logs and quotas."""

    kafka_consumer_max_poll_interval_ms: Milliseconds = 300_000
    """A worker that has not asked for messages for so long is taken for stuck and loses its partitions. Handling a
    message may take longer: asking goes on meanwhile."""

    thoth_investigator_session_timeout: Seconds = 20
    """A worker that the brokers have not heard of for so long is taken for dead and its partitions go to others. It
    speaks up four times as often, from a thread of its own, so a busy worker is not mistaken for a dead one."""

    kafka_consumer_auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    """Where a group begins that has committed nothing yet. `latest` leaves out what was sent before its first start."""

    kafka_consumer_group_instance_id: str | None = None
    """Names the worker across restarts, so that a quick restart moves no partitions. Must differ between workers."""

    kafka_message_max_bytes: Bytes = 1_048_588
    """The largest message to read and to write to a dead-letter topic. The default is the brokers' own."""

    kafka_consumer_enable_autocommit: AutoCommit = False
    """Must be false or absent: what is committed is what was handled, never what the clock says."""

    kafka_consumer_enable_auto_commit: AutoCommit = False
    """The other spelling of the same, with the same rule."""

    thoth_investigator_producer_idempotence: Flag = True
    """Whether halts and dead letters are written so that a write that is sent again counts once. Only brokers that
    don't implement it need 0."""

    thoth_investigator_read_idle_time: NonNegativeSeconds = 0
    """How long no record must arrive before operators' commands have read a topic to its end. 0 trusts the end offset
    that the broker returns, as is right for Apache Kafka. Only brokers that may return one that is too low, like the
    embedded one of the sandbox, need more."""

    thoth_investigator_topic_partitions: PositiveInt = 6
    """Partitions of topics that are missing and created at start: as many workers as that can share a topic."""

    thoth_investigator_topic_replication_factor: PositiveInt = 1
    """Copies of the topics that are created at start. 1 works everywhere; 3 is usual where three brokers run."""

    @property
    def uses_ssl(self) -> bool:
        """Whether the connection is encrypted."""
        return self.kafka_security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether the worker proves who it is by a password."""
        return self.kafka_security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    def topic(self, base_name: str) -> str:
        """Give the name of the topic of a message type."""
        return f"{self.thoth_deployment_name}.{base_name}"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the connection to Kafka."""

from typing import Annotated, Literal

from investigator.settings.base import SettingsGroup
from investigator.settings.types import (
    IN_LOWER_CASE,
    IN_UPPER_CASE,
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

SecurityProtocol = Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], IN_UPPER_CASE]


class KafkaSettings(SettingsGroup):
    """Kafka."""

    kafka_bootstrap_servers: Servers
    """The first brokers to contact; they name the others."""

    kafka_consumer_group_id: str
    """The consumer group. Each deployment with other modes needs its own group: within a group Kafka delivers every
    message to one worker only, whatever the modes of that worker."""

    thoth_deployment_name: TopicPrefix
    """The prefix of the base name in every topic name. It also distinguishes the metrics of several deployments."""

    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"
    """The protocol of connections to the brokers: encrypted (SSL), with user name and password (SASL), both or
    neither."""

    kafka_ssl_ca_location: ReadableFile | None = None
    """The certificate authorities that the worker trusts for brokers. Unset: those that the system trusts."""

    kafka_ssl_certificate_location: ReadableFile | None = None
    """The client certificate of the worker, where brokers require one."""

    kafka_ssl_key_location: ReadableFile | None = None
    """The private key of that certificate. Unset: the key is in the same file."""

    kafka_ssl_key_password: PasswordOrFile | None = None
    """The password of the private key, where the key is encrypted."""

    kafka_ssl_endpoint_identification_algorithm: Annotated[Literal["https", "none"], IN_LOWER_CASE] = "https"
    """`none` switches off the check that a broker's certificate names its host."""

    kafka_sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None, IN_UPPER_CASE] = None
    """The SASL mechanism; required with SASL and without a default, because the brokers decide it."""

    kafka_sasl_username: str | None = None
    """The user name of the worker; required with SASL."""

    kafka_sasl_password: Password | None = None
    """The password of that user; required with SASL."""

    kafka_client_id: str = "investigator"
    """The name of the worker in the logs and quotas of the brokers."""

    kafka_consumer_max_poll_interval_ms: Milliseconds = 300_000
    """A worker that does not poll for this time counts as stuck and loses its partitions. Handling of a message may
    take longer, because the worker polls meanwhile."""

    thoth_investigator_session_timeout: Seconds = 20
    """A worker whose heartbeats are missing for this time counts as dead, and its partitions go to other workers. It
    sends four heartbeats in this time, from a separate thread, so that a busy worker does not look dead."""

    thoth_investigator_watchdog_seconds: NonNegativeSeconds = 120
    """A worker ends with an error if for this time it has partitions and polls for no messages, or its event loop is
    blocked; Kubernetes then restarts it. Messages that take long, halted topics, rebalances and unavailable brokers do
    not count. 0 switches the watchdog off."""

    thoth_investigator_fetch_max_wait_ms: Milliseconds = 500
    """How long a broker may hold a fetch request that finds no messages. Apache Kafka answers as soon as there is one;
    set it lower for a broker that does not."""

    kafka_consumer_auto_offset_reset: Annotated[Literal["earliest", "latest"], IN_LOWER_CASE] = "earliest"
    """Where a group without committed offsets starts. `latest` skips messages that were sent before the first start."""

    kafka_consumer_group_instance_id: str | None = None
    """A static name of the worker in the group, so that a quick restart moves no partitions. Each worker needs its
    own."""

    kafka_message_max_bytes: Bytes = 1_048_588
    """The largest message that the worker reads, and writes to a dead-letter topic. The default is that of the
    brokers."""

    thoth_investigator_decompressed_batch_max_bytes: Bytes | None = None
    """How large a compressed batch may become. The worker pauses the partition of a larger one, and logs it. Unset: 16
    times KAFKA_MESSAGE_MAX_BYTES."""

    kafka_consumer_enable_autocommit: AutoCommit = False
    """Must be false or absent: the worker commits a message once it is handled, never after a time interval."""

    kafka_consumer_enable_auto_commit: AutoCommit = False
    """The other spelling of the previous variable, with the same rule."""

    thoth_investigator_producer_idempotence: Flag = True
    """Whether the worker writes halts and dead letters with an idempotent producer, so that a repeated write takes
    effect once. 0 is only for brokers that do not implement it."""

    thoth_investigator_read_idle_time: NonNegativeSeconds = 0
    """How long no record must arrive before an operator's command has read a topic to its end. 0 relies on the end
    offset that the broker returns, as is right for Apache Kafka. Other values are only for brokers that may return an
    end offset that is too low, like the embedded one of the sandbox."""

    thoth_investigator_topic_partitions: PositiveInt = 6
    """Partitions of the topics that the worker creates at its start; at most this number of workers can share a
    topic."""

    thoth_investigator_topic_replication_factor: PositiveInt = 1
    """Replicas of the topics that the worker creates at its start. 1 works everywhere; 3 is usual with three
    brokers."""

    @property
    def decompression_limit(self) -> int:
        """How many bytes a batch may have once it is decompressed."""
        return self.thoth_investigator_decompressed_batch_max_bytes or 16 * self.kafka_message_max_bytes

    @property
    def uses_ssl(self) -> bool:
        """Whether the connection is encrypted."""
        return self.kafka_security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether the worker authenticates with a user name and password."""
        return self.kafka_security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    def topic(self, base_name: str) -> str:
        """Return the full name of the topic of a message type."""
        return f"{self.thoth_deployment_name}.{base_name}"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the settings into the options of Faust's application."""

from collections.abc import Collection
from typing import Any

from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types.auth import AuthProtocol
from faust.types.settings import Settings as FaustSettings

from investigator.kafka.options import ssl_context
from investigator.settings import Settings
from investigator.settings.secrets import secret_value

# One loop of Faust feeds the buffers of all topics, and it stops while it waits for room in one of them. Faust's own
# back-pressure starts at a share of the buffer, so one poll must return fewer messages than the rest of the buffer.
_BUFFERED_MESSAGES = 1000
_POLLED_MESSAGES = 100

# After a crash the messages that finished since the last commit are redelivered, and find their workflows in place.
_COMMIT_SECONDS = 1.0

# How soon a worker discovers new partitions, and recreated topics.
_METADATA_MS = 20_000

# Faust refuses a session that lasts longer than its requests may take.
_REQUEST_SECONDS = 90.0

# The size of one fetch from a partition; larger where a single message may be larger.
_FETCH_BYTES = 1024 * 1024


def faust_options(settings: Settings) -> dict[str, Any]:
    """Return the options of Faust's application; docs/explanation/design.md says what they guard against."""
    session = settings.thoth_investigator_session_timeout
    return {
        "env": {},  # otherwise Faust's own variables, such as WEB_PORT of a Service `web`, win over these options
        "broker": ";".join(f"kafka://{server}" for server in settings.kafka_bootstrap_servers),
        "broker_credentials": _credentials(settings),
        "broker_client_id": settings.kafka_client_id,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 4,
        "broker_request_timeout": max(_REQUEST_SECONDS, session + 10),
        "broker_max_poll_interval": settings.kafka_consumer_max_poll_interval_ms / 1000,
        "broker_max_poll_records": _POLLED_MESSAGES,
        "broker_commit_interval": _COMMIT_SECONDS,
        "stream_buffer_maxsize": _BUFFERED_MESSAGES,
        "stream_wait_empty": False,  # Faust waits without limit; the dispatcher drains messages in flight within one
        "consumer_auto_offset_reset": settings.kafka_consumer_auto_offset_reset,
        "consumer_group_instance_id": settings.kafka_consumer_group_instance_id,
        "consumer_metadata_max_age_ms": _METADATA_MS,
        "consumer_max_fetch_size": max(settings.kafka_message_max_bytes, _FETCH_BYTES),
        "table_standby_replicas": 0,  # Faust's assignor would assign all topics of one partition to one worker
        "topic_allow_declare": False,  # the preflight creates topics, with as many partitions as set
        "topic_disable_leader": True,
        "web_graph_enabled": False,
        "web_metrics_enabled": False,
        "web_router_enabled": False,
        "web_stats_enabled": False,
        "web_tables_enabled": False,
    }


def ignored_variables(present: Collection[str]) -> list[str]:
    """Return which of the present environment variables Faust would read, but this worker ignores."""
    read = {each.env_name for each in FaustSettings.SETTINGS.values() if each.env_name}
    return sorted(read & set(present))


def _credentials(settings: Settings) -> Credentials | None:
    context = ssl_context(settings)
    if settings.uses_sasl:
        sasl = SASLCredentials(
            username=settings.kafka_sasl_username,
            password=secret_value(settings.kafka_sasl_password),
            mechanism=settings.kafka_sasl_mechanism or "PLAIN",
            ssl_context=context,
        )
        sasl.protocol = AuthProtocol(settings.kafka_security_protocol)
        return sasl
    return None if context is None else SSLCredentials(context)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A script for the environment of a client (thoth-messaging): makes a real message of every type that it knows.

    python produce.py                    # prints them, one JSON object per line
    python produce.py kafka.example:9092 # sends them as well, with the client's own producer

Each type is made twice: with the required fields only, and with every field.
"""

import json
import sys
from typing import Any

import attr
import thoth.messaging
from thoth.messaging.producer import create_producer, publish_to_topic

FLASK = {"package_name": "flask", "package_version": "2.0.1", "package_index": "https://pypi.org/simple"}

#: A value for every field of any message of any version, by the field's name.
VALUES: dict[str, Any] = {
    "adviser_version": "0.33.0",
    "application_stack": {"requirements": "flask\n", "requirements_lock": "", "requirements_format": "pipenv"},
    "authenticated": True,
    "base_image": "quay.io/thoth-station/s2i-thoth-ubi8-py38:v0.30.1",
    "base_image_analysis_id": "package-extract-210601000000-d15ea5e0d15ea5e0",
    "base_registry_password": "hunter2",
    "base_registry_user": "thoth",
    "base_registry_verify_tls": False,
    "buildlog_document_id": "buildlog-210601000000-d15ea5e0d15ea5e0",
    "buildlog_parser_id": "parser-210601000000-d15ea5e0d15ea5e0",
    "component_name": "user-api",
    "count": 3,
    "debug": True,
    "dev": True,
    "environment_type": "runtime",
    "force_sync": True,
    "github_base_repo_url": "https://github.com/thoth-station/s2i-example",
    "github_check_run_id": 12345678,
    "github_event_type": "thoth_thamos_advise",
    "github_head_repo_url": "https://github.com/fridex/s2i-example",
    "github_installation_id": 1234567,
    "graph_sync": True,
    "host": "github.com",
    "image": "quay.io/thoth-station/s2i-thoth-ubi8-py38:v0.30.1",
    "index_url": "https://pypi.org/simple",
    "inspection_id": "inspection-flask-210601000000-d15ea5e0",
    "installation_id": "1234567",
    "is_external": False,
    "job_id": "adviser-210601000000-d15ea5e0d15ea5e0",
    "justification": [{"type": "INFO", "message": "No direct dependency provided"}],
    "justification_type": "WARNING",
    "kebechet_metadata": {"repo_url": "https://github.com/thoth-station/s2i-example"},
    "library_usage": {"flask": ["flask.Flask"]},
    "limit": 100,
    "limit_latest_versions": 5,
    "message": "Package 'flask' in version '2.0.1' has a known vulnerability",
    "metadata": {"message_justification": 5, **FLASK},
    "missing_from_database": ["a" * 64],
    "missing_from_source": ["b" * 64, "c" * 64],
    "origin": "https://github.com/thoth-station/s2i-example",
    "output_image": "quay.io/thoth-station/s2i-example:latest",
    "output_image_analysis_id": "package-extract-210601000001-d15ea5e0d15ea5e0",
    "output_registry_password": "hunter3",
    "output_registry_user": "thoth",
    "output_registry_verify_tls": False,
    "package_name": "flask",
    "package_version": "2.0.1",
    "project_url": "https://github.com/thoth-station/s2i-example",
    "re_run_adviser_id": "adviser-210531000000-d15ea5e0d15ea5e0",
    "recommendation_type": "latest",
    "registry_password": "hunter4",
    "registry_user": "thoth",
    "revision": "d15ea5e0",
    "runtime_environment": {"operating_system": {"name": "rhel", "version": "8"}, "python_version": "3.8"},
    "service_name": "github",
    "service_version": "0.1.0",
    "solver": "solver-rhel-8-py38",
    "source_type": "CLI",
    "stack_info": [{"type": "WARNING", "message": "Consider using a lock file"}],
    "url": "https://github.com/thoth-station/s2i-example",
    "value": False,
    "verify_tls": False,
    "webhook_payload": {"action": "opened", "repository": {"full_name": "thoth-station/s2i-example"}},
    "whitelisted_sources": ["https://pypi.org/simple"],
}


class Recorder:
    """A producer that prints each message, and passes it on to the real producer if there is one."""

    def __init__(self, producer: Any) -> None:  # noqa: ANN401  (the client's producer has no types)
        self.producer = producer
        self.about: dict[str, Any] = {}

    def produce(self, topic: str, value: bytes) -> None:
        """Print a message and pass it on."""
        if self.producer is not None:
            self.producer.produce(topic, value=value)
        sys.stdout.write(json.dumps({**self.about, "topic": topic, "value": value.decode()}) + "\n")


def main(servers: str | None) -> None:
    """Make all messages, and send them if servers are given."""
    producer = create_producer({"bootstrap.servers": servers}) if servers else None
    recorder = Recorder(producer)
    for each in thoth.messaging.ALL_MESSAGES:
        message = each() if isinstance(each, type) else each
        for full in (False, True):
            _publish(recorder, message, full=full)
    if producer is not None and producer.flush(30):
        sys.exit("Not every message was delivered within 30 s")


def _publish(recorder: Recorder, message: Any, *, full: bool) -> None:  # noqa: ANN401  another class in each release
    model = getattr(message, "value_type", None) or message.model
    fields = _fields(model)
    recorder.about = {"base_name": message.base_name, "full": full, "fields": fields}
    content = model(**{name: VALUES[name] for name, required in fields.items() if full or required})
    publish_to_topic(recorder, message, content)


def _fields(model: Any) -> dict[str, bool]:  # noqa: ANN401  same
    """Return the fields of a model, each with whether it is required; models are attrs until 0.12, then pydantic."""
    if attr.has(model):
        return {each.name: each.default is attr.NOTHING for each in attr.fields(model) if each.name != "version"}
    return {name: field.required for name, field in model.__fields__.items() if name != "version"}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real clients of producers, each version in its own process, and returns the messages that they sent."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENVIRONMENT = Path(__file__).parent.parent.parent / ".venv-producers"
SCRIPT = Path(__file__).with_name("produce.py")

#: The current client, and the last client of each older version of the messages: together they know every version.
CURRENT = "0.16.2"
VERSIONS = ("0.10.3", "0.11.2", "0.12.0", "0.14.3", CURRENT)


@dataclass(frozen=True)
class Sent:
    """A message as a client sent it.

    Attributes:
        client: the version of the client.
        base_name: the type of the message.
        topic: the topic that the client sent it to.
        value: its value.
        full: whether every field is set, or only the required ones.
        fields: the fields that the client knows, each with whether it is required.
    """

    client: str
    base_name: str
    topic: str
    value: bytes
    full: bool
    fields: tuple[tuple[str, bool], ...]

    @property
    def content(self) -> dict[str, object]:
        """The value, parsed."""
        content: dict[str, object] = json.loads(self.value)
        return content

    def __str__(self) -> str:
        """Return the name of the message in the list of tests."""
        return f"{self.client} {self.base_name} {'full' if self.full else 'least'}"


@cache
def messages_of(client: str, deployment: str = "ocp4-stage", servers: str | None = None) -> tuple[Sent, ...]:
    """Return the messages of a version of the client, which also sends them if servers are given.

    Raises:
        FileNotFoundError: the environment of the producers does not exist; `make producers` creates it.
    """
    environ = {**os.environ, "THOTH_DEPLOYMENT_NAME": deployment, "PYTHONPATH": str(ENVIRONMENT / "clients" / client)}
    command = [str(ENVIRONMENT / "bin" / "python"), str(SCRIPT), *([servers] if servers else [])]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=60)
    return tuple(_sent(client, json.loads(line)) for line in done.stdout.splitlines())


def _sent(client: str, line: dict[str, object]) -> Sent:
    fields = line["fields"]
    assert isinstance(fields, dict)
    return Sent(
        client=client,
        base_name=str(line["base_name"]),
        topic=str(line["topic"]),
        value=str(line["value"]).encode(),
        full=bool(line["full"]),
        fields=tuple(fields.items()),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real clients of producers, each version in its own process, and gives what they sent."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENVIRONMENT = Path(__file__).parent.parent.parent / ".venv-producers"
SCRIPT = Path(__file__).with_name("produce.py")

#: The client of today, and the last one of each older version of the messages: together they know every version.
TODAY = "0.16.2"
VERSIONS = ("0.10.3", "0.11.2", "0.12.0", "0.14.3", TODAY)


@dataclass(frozen=True)
class Sent:
    """A message as a client sent it."""

    client: str
    base_name: str
    topic: str
    value: bytes
    full: bool
    fields: tuple[tuple[str, bool], ...]

    @property
    def contents(self) -> dict[str, object]:
        """The message as JSON holds it."""
        contents: dict[str, object] = json.loads(self.value)
        return contents

    def __str__(self) -> str:
        """Name it in the list of tests."""
        return f"{self.client} {self.base_name} {'full' if self.full else 'least'}"


@cache
def messages_of(client: str, deployment: str = "ocp4-stage", servers: str | None = None) -> tuple[Sent, ...]:
    """Have a version of the client make its messages, and send them if servers are given.

    Raises:
        FileNotFoundError: the environment of the producers was not made; `make producers` does it.
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

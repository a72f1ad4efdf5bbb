# SPDX-License-Identifier: GPL-3.0-or-later
import json

from sandbox.broker import Broker
from tests.integration.cli.conftest import BASE_NAME, ENVIRONMENT
from tests.support.faust_command import faust


def test_the_commands_are_part_of_fausts_program(broker: Broker, deployment: str) -> None:
    """--help lists them, they accept Faust's --json, print only their output, and fail with exit status 1."""
    environment = {
        **ENVIRONMENT,
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "THOTH_DEPLOYMENT_NAME": deployment,
        "THOTH_INVESTIGATOR_PRODUCER_IDEMPOTENCE": "1" if broker.idempotent else "0",
        "THOTH_INVESTIGATOR_READ_IDLE_TIME": str(broker.read_idle_time),
    }
    described = faust(environment, "--help").stdout
    assert {"halts", "halt", "resume", "dead-letters"} <= set(described.split())

    halted = faust(environment, "halt", BASE_NAME)
    assert (halted.stdout, halted.stderr, halted.returncode) == (f"{BASE_NAME} is halted.\n", "", 0)

    listed = faust(environment, "--json", "halts")
    assert json.loads(listed.stdout)["topic"] == BASE_NAME

    refused = faust(environment, "resume", "thoth.nothing")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: Unknown base topic name 'thoth.nothing'")
    assert "Traceback" not in refused.stderr

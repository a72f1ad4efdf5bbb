# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

from sandbox.tcp_ports import HOST, free_port
from tests.support.required_settings import REQUIRED

CHECKOUT = Path(__file__).parents[2]
FAUST = Path(sys.executable).with_name("faust")


def _start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Start a worker as an operator does, with Faust's command in the checkout, and with these variables only."""
    command = [str(FAUST), "-A", "investigator", "worker"]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_start_without_settings_exits_at_once_and_names_them_all() -> None:
    """The exit status is 1, and there is one message without a traceback."""
    ended = _start()
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert all(f"{name} is not set" in ended.stderr for name in REQUIRED)


def test_a_start_without_any_dependency_exits_and_names_them_all() -> None:
    """The settings are valid, but neither Kafka nor the graph nor the cluster answers."""
    unavailable = {"KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_port()}", "KNOWLEDGE_GRAPH_PORT": str(free_port())}
    ended = _start(**REQUIRED | unavailable | {"HOME": "/nonexistent"})
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    listed = ended.stderr.partition("The worker can't start:")[2]
    assert [line.split(" ")[3:5] for line in listed.splitlines() if line] == [
        ["Kafka", "at"],
        ["The", "knowledge"],
        ["The", "cluster's"],
    ]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache Kafka where there is none: the tests that run on it are in tests/kafka."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_machine_without_java_is_told_apart_from_an_error(tmp_path: Path) -> None:
    """Guarantee: CI leaves out the tests on Apache Kafka only where it can't be had, not where something is broken."""
    command = [sys.executable, "-m", "sandbox.apache_kafka"]
    environment = {**os.environ, "JAVA_HOME": str(tmp_path)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("Apache Kafka needs Java 17 or newer")

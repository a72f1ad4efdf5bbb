# SPDX-License-Identifier: GPL-3.0-or-later
"""The Apache Kafka sandbox on a machine without Java; the tests that run on Apache Kafka are in tests/apache_kafka."""

import os
import subprocess
import sys
from pathlib import Path


def test_without_java_the_exit_status_is_3_and_not_that_of_an_error(tmp_path: Path) -> None:
    """CI skips the tests on Apache Kafka only at this status, so that an error never skips them."""
    command = [sys.executable, "-m", "sandbox.apache_kafka"]
    environment = {**os.environ, "JAVA_HOME": str(tmp_path)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("Apache Kafka needs Java 17 or newer")

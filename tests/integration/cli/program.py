# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's program, as an operator runs it in the shell of a worker's pod."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_REPOSITORY = Path(__file__).parents[3]
_WORKER_PREFIXES = ("ARGO_", "KAFKA_", "KNOWLEDGE_GRAPH_", "KUBE", "OPENSHIFT_", "THOTH_")


def faust(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end, with the given variables and without those of this process that a worker reads."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_WORKER_PREFIXES)}
    return subprocess.run(
        [sys.executable, "-m", "faust", "-A", "investigator", *arguments],
        env={**inherited, **environment},
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

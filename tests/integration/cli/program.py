# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's program, as an operator runs it in a shell of a worker's pod."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_REPOSITORY = Path(__file__).parents[3]
_OF_A_WORKER = ("ARGO_", "KAFKA_", "KNOWLEDGE_GRAPH_", "KUBE", "OPENSHIFT_", "THOTH_")


def faust(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end, with the variables of a worker and none of ours that a worker would read."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith(_OF_A_WORKER)}
    return subprocess.run(
        [sys.executable, "-m", "faust", "-A", "investigator", *arguments],
        env={**ours, **environment},
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

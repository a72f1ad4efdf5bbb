# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's command, as an operator runs it in a shell of a worker's pod."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_WORKER_PREFIXES = ("ARGO_", "KAFKA_", "KNOWLEDGE_GRAPH_", "KUBE", "OPENSHIFT_", "THOTH_")


def faust(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `faust -A investigator` with these arguments to its end, and return its status and output.

    Args:
        environment: all variables that configure a worker; those of this process are not passed on.
        *arguments: the arguments after `-A investigator`.
    """
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

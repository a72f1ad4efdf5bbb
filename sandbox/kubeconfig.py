# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that tells Kubernetes clients where the stand-in is and what token to send."""

from pathlib import Path

import yaml

__all__ = ["write_kubeconfig"]


def write_kubeconfig(path: Path, url: str, token: str) -> None:
    """Write a KUBECONFIG file for a server at that URL and a user with that bearer token."""
    name = "sandbox"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    path.write_text(yaml.safe_dump(content), "utf-8")

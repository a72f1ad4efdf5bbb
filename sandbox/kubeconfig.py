# SPDX-License-Identifier: GPL-3.0-or-later
"""The KUBECONFIG file, from which Kubernetes clients read the stand-in's URL and token."""

from pathlib import Path

import yaml

__all__ = ["write_kubeconfig"]


def write_kubeconfig(path: Path, url: str, token: str) -> None:
    """Write a KUBECONFIG file with the server's URL and a user's bearer token."""
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered repo-init messages, each of which leads to one workflow, and the count of these workflows by number."""

from collections import Counter
from collections.abc import Iterable

from sandbox.cluster import ClusterStandIn
from tests.support.blocking_kafka import message

REPO_INIT = "thoth.repo-init"
CREATE = "/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"


def repo_init_message(number: int) -> dict[str, object]:
    """Return a message about the repository with this number."""
    return message(project_url=f"https://example.com/{number}.git")


def repo_init_messages(numbers: Iterable[int]) -> list[dict[str, object]]:
    """Return a message for each number."""
    return [repo_init_message(number) for number in numbers]


def workflow_counts(cluster: ClusterStandIn) -> Counter[int]:
    """Return the number of workflows that were created for each repository, by the repository's number."""
    return Counter(
        int(workflow.parameters["project-url"].rpartition("/")[2].removesuffix(".git"))
        for workflow in cluster.created
        if workflow.kind == "thoth-repo-init"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that lead to one workflow each, by which one sees which of them were handled, and how often."""

from collections import Counter
from collections.abc import Iterable

from sandbox.cluster import ClusterStandIn
from tests.support.e2e import message

REPO_INIT = "thoth.repo-init"
CREATE = "/apis/argoproj.io/v1alpha1/namespaces/thoth-backend/workflows"


def repository(number: int) -> dict[str, object]:
    """Ask for the set-up of the repository with that number."""
    return message(project_url=f"https://example.com/{number}.git")


def repositories(numbers: Iterable[int]) -> list[dict[str, object]]:
    """Ask for the set-up of several repositories."""
    return [repository(number) for number in numbers]


def set_up(cluster: ClusterStandIn) -> Counter[int]:
    """Count how often a workflow was created for each repository."""
    return Counter(
        int(workflow.parameters["project-url"].rpartition("/")[2].removesuffix(".git"))
        for workflow in cluster.created
        if workflow.kind == "thoth-repo-init"
    )

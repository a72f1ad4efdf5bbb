# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of workflow: the namespace, the method of thoth-common and the id prefix of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

WorkflowKind = Literal[
    "adviser",
    "provenance-checker",
    "kebechet",
    "kebechet-run-url",
    "kebechet-administrator",
    "thoth-repo-init",
    "solver",
    "revsolver",
    "security-indicator",
    "package-extract",
    "build-analysis",
    "graph-sync",
]


@dataclass(frozen=True, slots=True)
class KindSpec:
    """The namespace, the method of thoth-common and the id prefix of a kind of workflow."""

    namespace: Literal["backend", "middletier"]
    method: str
    prefix: str | None  # of the id; None means the solver's name
    urgent: bool = False  # a user waits for the result: gets the next permit


WORKFLOW_KINDS: Mapping[WorkflowKind, KindSpec] = {
    "adviser": KindSpec("backend", "schedule_adviser", "adviser", urgent=True),
    "provenance-checker": KindSpec("backend", "schedule_provenance_checker", "provenance-checker", urgent=True),
    "kebechet": KindSpec("backend", "schedule_kebechet_workflow", "kebechet-job"),
    "kebechet-run-url": KindSpec("backend", "schedule_kebechet_run_url_workflow", "kebechet-run-url"),
    "kebechet-administrator": KindSpec("backend", "schedule_kebechet_administrator", "kebechet-administrator"),
    "thoth-repo-init": KindSpec("backend", "schedule_thoth_repo_init", "thoth-repo-init"),
    "solver": KindSpec("middletier", "schedule_solver", None),
    "revsolver": KindSpec("middletier", "schedule_revsolver", "revsolver"),
    "security-indicator": KindSpec("middletier", "schedule_security_indicator", "security-indicator"),
    "package-extract": KindSpec("middletier", "schedule_package_extract", "package-extract"),
    "build-analysis": KindSpec("middletier", "schedule_build_analysis", "build-analysis"),
    "graph-sync": KindSpec("middletier", "schedule_graph_sync", "graph-sync"),
}

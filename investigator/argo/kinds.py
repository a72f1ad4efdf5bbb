# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of workflow: where each is created, by which method of thoth-common, under what id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
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
class Spec:
    """How workflows of a kind are scheduled: where, by which method of thoth-common, under what id."""

    namespace: Literal["backend", "middletier"]
    method: str
    prefix: str | None  # of the id; None stands for the solver's name
    urgent: bool = False  # a person waits for the result


KINDS: Mapping[Kind, Spec] = {
    "adviser": Spec("backend", "schedule_adviser", "adviser", urgent=True),
    "provenance-checker": Spec("backend", "schedule_provenance_checker", "provenance-checker", urgent=True),
    "kebechet": Spec("backend", "schedule_kebechet_workflow", "kebechet-job"),
    "kebechet-run-url": Spec("backend", "schedule_kebechet_run_url_workflow", "kebechet-run-url"),
    "kebechet-administrator": Spec("backend", "schedule_kebechet_administrator", "kebechet-administrator"),
    "thoth-repo-init": Spec("backend", "schedule_thoth_repo_init", "thoth-repo-init"),
    "solver": Spec("middletier", "schedule_solver", None),
    "revsolver": Spec("middletier", "schedule_revsolver", "revsolver"),
    "security-indicator": Spec("middletier", "schedule_security_indicator", "security-indicator"),
    "package-extract": Spec("middletier", "schedule_package_extract", "package-extract"),
    "build-analysis": Spec("middletier", "schedule_build_analysis", "build-analysis"),
    "graph-sync": Spec("middletier", "schedule_graph_sync", "graph-sync"),
}

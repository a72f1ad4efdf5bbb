# SPDX-License-Identifier: GPL-3.0-or-later
"""A message of each type with all of its fields, and what it leads to in a harness where nothing is known yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.agent_harness import PYPI

RELEASE: dict[str, object] = {"package_name": "flask", "package_version": "2.0.2", "index_url": PYPI}
METADATA: dict[str, object] = {
    "message_justification": 5,
    "package_name": "flask",
    "package_version": "2.0.2",
    "package_index": PYPI,
}
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Example:
    """A message's required and other fields; the kinds of workflows in each mode; whether the graph changes there."""

    required: Mapping[str, object] = field(default_factory=dict)
    optional: Mapping[str, object] = field(default_factory=dict)
    middletier: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    changes: str | None = None

    @property
    def fields(self) -> dict[str, object]:
        """All fields."""
        return {**self.required, **self.optional}


SOLVERS = ("solver", "solver", "solver")
ADVICE: dict[str, object] = {
    "debug": True,
    "authenticated": True,
    "origin": "https://github.com/thoth-station/cli-examples",
    "job_id": None,
    "kebechet_metadata": METADATA,
    "justification": [{"message": "flask was released", "type": "INFO"}],
    "stack_info": [{"message": "all is well", "type": "INFO"}],
}

EXAMPLES: dict[str, Example] = {
    "thoth.package-release.package-released": Example(RELEASE, middletier=("revsolver", *SOLVERS)),
    "thoth.investigator.unresolved-package": Example(
        {"package_name": "flask", "index_url": PYPI},
        {"package_version": "2.0.2", "solver": "solver-rhel-8-py39"},
        middletier=SOLVERS,
    ),
    "thoth.investigator.unrevsolved-package": Example(
        {"package_name": "flask", "package_version": "2.0.2"}, middletier=("revsolver",)
    ),
    "thoth.investigator.si-unanalyzed-package": Example(RELEASE, middletier=("security-indicator",)),
    "thoth.solver.solved-package": Example(
        RELEASE | {"solver": "solver-rhel-8-py39"}, middletier=("kebechet-administrator", "security-indicator")
    ),
    "thoth.cve-update.cve-provided": Example(RELEASE, backend=("kebechet-administrator",)),
    "thoth.advise-reporter.advise-justification": Example(
        {"message": "flask is slow", "justification_type": "WARNING", "count": 3, "adviser_version": "0.50.0"}
    ),
    "thoth.package-update.hash-mismatch": Example(
        RELEASE | {"missing_from_source": ["7b2fb8e9", "cb90f62f"], "missing_from_database": ["ac1ee43d"]},
        middletier=SOLVERS,
        backend=("kebechet-administrator",),
        changes="middletier",
    ),
    "thoth.package-update.missing-package": Example(
        {"package_name": "flask", "index_url": PYPI}, backend=("kebechet-administrator",), changes="backend"
    ),
    "thoth.package-update.missing-package-version": Example(
        RELEASE, backend=("kebechet-administrator",), changes="backend"
    ),
    "thoth.update-provides-source-distro": Example(RELEASE | {"value": False}, changes="middletier"),
    "thoth.adviser-trigger": Example(
        {"recommendation_type": "latest"},
        ADVICE
        | {
            "dev": True,
            "count": 2,
            "limit": 1000,
            "limit_latest_versions": 5,
            "re_run_adviser_id": "adviser-211224120000-0123456789abcdef",
            "source_type": "KEBECHET",
        },
        backend=("adviser",),
    ),
    "thoth.investigator.adviser-re-run": Example(
        {"re_run_adviser_id": "adviser-211224120000-0123456789abcdef", "recommendation_type": "stable"},
        {
            "origin": "https://github.com/thoth-station/cli-examples",
            "source_type": "KEBECHET",
            "github_event_type": "thoth_thamos_advise",
            "github_check_run_id": 9,
            "github_installation_id": 10,
            "github_base_repo_url": "https://github.com/thoth-station/cli-examples",
        },
        backend=("adviser",),
    ),
    "thoth.kebechet-trigger": Example(
        {"webhook_payload": {"action": "created", "repository": {"full_name": "thoth-station/cli-examples"}}},
        {"job_id": None},
        backend=("kebechet",),
    ),
    "thoth.kebechet-run-url-trigger": Example(
        {"url": "https://github.com/thoth-station/cli-examples"},
        {"service_name": "github", "installation_id": "7", "job_id": None, "metadata": METADATA},
        backend=("kebechet-run-url",),
    ),
    "thoth.package-extract-trigger": Example(
        {"image": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4", "environment_type": "runtime"},
        {
            "is_external": False,
            "verify_tls": False,
            "debug": True,
            "job_id": None,
            "origin": "https://github.com/thoth-station/solver",
            "registry_user": "fridolin",
            "registry_password": PASSWORD,
            "graph_sync": True,
        },
        backend=("package-extract",),
    ),
    "thoth.provenance-checker-trigger": Example(
        {}, ADVICE | {"whitelisted_sources": [PYPI]}, backend=("provenance-checker",)
    ),
    "thoth.build-analysis-trigger": Example(
        {"base_image": "registry.access.redhat.com/ubi8/python-38:1-71"},
        {
            "base_image_analysis_id": None,
            "buildlog_document_id": "buildlog-211224120000-0123456789abcdef",
            "buildlog_parser_id": None,
            "environment_type": "runtime",
            "debug": True,
            "job_id": None,
            "origin": "https://github.com/thoth-station/solver",
            "output_image": "quay.io/thoth-station/solver-rhel-8-py39:v1.10.4",
            "output_image_analysis_id": None,
            "base_registry_password": PASSWORD,
            "base_registry_user": "fridolin",
            "base_registry_verify_tls": False,
            "output_registry_password": PASSWORD,
            "output_registry_user": "fridolin",
            "output_registry_verify_tls": False,
        },
        middletier=("build-analysis",),
    ),
    "thoth.inspection-completed": Example(
        {"inspection_id": "inspection-211224120000-0123456789abcdef"}, {"force_sync": True}, middletier=("graph-sync",)
    ),
    "thoth.repo-init": Example(
        {"project_url": "https://github.com/thoth-station/cli-examples"}, {"job_id": None}, backend=("thoth-repo-init",)
    ),
}

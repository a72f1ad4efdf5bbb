# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows that a message asks for by the contract: kind, namespace and parameters of each."""

from investigator.argo.kinds import WORKFLOW_KINDS, WorkflowKind
from investigator.message_types import load_message_types
from sandbox.cluster import SOLVERS
from tests.e2e.case import ByMode, Effects, Fields, Wanted
from tests.support.examples import Example


def _backend(kind: str, parameters: Fields) -> Wanted:
    return Wanted(kind, "thoth-backend", parameters)


def _middletier(kind: str, parameters: Fields) -> Wanted:
    return Wanted(kind, "thoth-middletier", parameters)


def of_example(example: Example) -> ByMode:
    """Return the effects that an example declares: kinds and namespaces of its workflows, by mode."""
    return {
        mode.value: Effects(tuple(_of_kind(kind) for kind in example.kinds([mode], len(SOLVERS))))
        for mode in load_message_types()[example.base_name].handlers
    }


def _of_kind(kind: WorkflowKind) -> Wanted:
    return Wanted(kind, f"thoth-{WORKFLOW_KINDS[kind].namespace}", {})


def _flag(value: object) -> str:
    return "1" if value else "0"


def _some(fields: Fields, *names: str) -> dict[str, object]:
    return {name: fields.get(name) for name in names}


def _level(fields: Fields) -> str:
    return "DEBUG" if fields.get("debug") else "INFO"


def solver(name: str, version: str, index_url: str, solver: str, dependencies: str | frozenset[str] = "") -> Wanted:
    """Return the workflow of one solver for one package version."""
    return _middletier(
        "solver",
        {
            "THOTH_SOLVER_NAME": solver,
            "THOTH_SOLVER_PACKAGES": f"{name}==={version}",
            "THOTH_SOLVER_NO_TRANSITIVE": "1",
            "THOTH_SOLVER_INDEXES": index_url,
            "THOTH_SOLVER_DEPENDENCY_INDEXES": dependencies,
            "THOTH_FORCE_SYNC": "0",
            "THOTH_LOG_SOLVER": "INFO",
        },
    )


def solvers(fields: Fields, dependencies: str | frozenset[str] = "") -> tuple[Wanted, ...]:
    """Return the workflows of all solvers for the package version of a message."""
    release = fields["package_name"], fields["package_version"], fields["index_url"]
    return tuple(solver(*release, name, dependencies) for name in SOLVERS)


def revsolver(fields: Fields) -> Wanted:
    """Return the workflow of the reverse solver."""
    return _middletier(
        "revsolver",
        {
            "THOTH_REVSOLVER_PACKAGE_NAME": fields["package_name"],
            "THOTH_REVSOLVER_PACKAGE_VERSION": fields["package_version"],
            "THOTH_LOG_REVSOLVER": "INFO",
        },
    )


def security_indicator(fields: Fields) -> Wanted:
    """Return the workflow that analyses security indicators."""
    return _middletier(
        "security-indicator",
        {
            "THOTH_SECURITY_INDICATORS_PACKAGE_NAME": fields["package_name"],
            "THOTH_SECURITY_INDICATORS_PACKAGE_VERSION": fields["package_version"],
            "THOTH_SECURITY_INDICATORS_PACKAGE_INDEX": fields["index_url"],
            "THOTH_SECURITY_INDICATORS_AGGREGATION_FUNCTION": "process_data",
        },
    )


def administrator(base_name: str, fields: Fields) -> Wanted:
    """Return the workflow of Kebechet's administrator."""
    return _backend(
        "kebechet-administrator",
        {
            "THOTH_PACKAGE_NAME": fields["package_name"],
            "THOTH_PACKAGE_VERSION": fields.get("package_version", ""),
            "THOTH_PACKAGE_INDEX": fields["index_url"],
            "THOTH_SOLVER_NAME": fields.get("solver", ""),
            "THOTH_MESSAGE_TYPE": base_name,
        },
    )


def adviser(fields: Fields) -> Wanted:
    """Return the workflow of the adviser."""
    metadata = _some(fields, "origin", "re_run_adviser_id", "source_type", "kebechet_metadata")
    return _backend(
        "adviser",
        {
            "THOTH_ADVISER_RECOMMENDATION_TYPE": fields["recommendation_type"],
            "THOTH_ADVISER_DEV": _flag(fields.get("dev")),
            "THOTH_AUTHENTICATED_ADVISE": _flag(fields.get("authenticated")),
            "THOTH_LOG_ADVISER": _level(fields),
            "THOTH_ADVISER_COUNT": str(fields.get("count") or 1),
            "THOTH_ADVISER_LIMIT": str(fields.get("limit") or 100000),
            "THOTH_ADVISER_METADATA": {**metadata, "thoth.adviser": _some(fields, "justification", "stack_info")},
        },
    )


def provenance_checker(fields: Fields) -> Wanted:
    """Return the workflow of the provenance checker."""
    metadata = _some(fields, "origin", "kebechet_metadata")
    return _backend(
        "provenance-checker",
        {
            "THOTH_WHITELISTED_SOURCES": ",".join(fields.get("whitelisted_sources") or ()),
            "THOTH_AUTHENTICATED_PROVENANCE_CHECK": _flag(fields.get("authenticated")),
            "THOTH_LOG_ADVISER": _level(fields),
            "THOTH_ADVISER_METADATA": {**metadata, "thoth.adviser": _some(fields, "justification", "stack_info")},
        },
    )


def kebechet(fields: Fields) -> Wanted:
    """Return the workflow of Kebechet for a webhook event."""
    payload = fields["webhook_payload"]
    return _backend("kebechet", {"WEBHOOK_PAYLOAD": payload, "KEBECHET_SLUG": payload["repository"]["full_name"]})


def kebechet_run_url(fields: Fields) -> Wanted:
    """Return the workflow of Kebechet for a repository."""
    return _backend(
        "kebechet-run-url",
        {
            "KEBECHET_REPO_URL": fields["url"],
            "KEBECHET_SERVICE_NAME": fields.get("service_name") or "github",
            "KEBECHET_METADATA": fields.get("metadata") or fields.get("kebechet_metadata") or "null",
        },
    )


def package_extract(fields: Fields) -> Wanted:
    """Return the workflow that analyses a container image."""
    user, password = fields.get("registry_user"), fields.get("registry_password")
    metadata = {
        "origin": fields.get("origin"),
        "environment_type": fields["environment_type"],
        "is_external": fields.get("is_external") is not False,
    }
    return _middletier(
        "package-extract",
        {
            "THOTH_ANALYZED_IMAGE": fields["image"],
            "THOTH_ANALYZER_NO_TLS_VERIFY": _flag(fields.get("verify_tls") is False),
            "THOTH_LOG_PACKAGE_EXTRACT": _level(fields),
            "THOTH_PACKAGE_EXTRACT_METADATA": metadata,
            "THOTH_REGISTRY_CREDENTIALS": f"{user}:{password}" if user else "",
            "THOTH_SYNC_PACKAGE_EXTRACT": _flag(fields.get("graph_sync")),
        },
    )


def build_analysis(fields: Fields) -> Wanted:
    """Return the workflow that analyses a build."""
    user, password = fields.get("base_registry_user"), fields.get("base_registry_password")
    return _middletier(
        "build-analysis",
        {
            "THOTH_BUILD_ANALYSIS_BASE_IMAGE": fields["base_image"],
            "THOTH_BUILD_ANALYSIS_OUTPUT_IMAGE": fields.get("output_image") or "",
            "THOTH_BUILD_ANALYSIS_BUILDLOG_DOCUMENT_ID": fields.get("buildlog_document_id") or "",
            "THOTH_BUILD_ANALYSIS_ENVIRONMENT_TYPE": fields.get("environment_type") or "",
            "THOTH_BUILD_ANALYSIS_ORIGIN": fields.get("origin") or "",
            "THOTH_BUILD_ANALYSIS_LOG": _level(fields),
            "THOTH_BUILD_ANALYSIS_BASE_REGISTRY_CREDENTIALS": f"{user}:{password}" if user else "",
        },
    )


def graph_sync(fields: Fields) -> Wanted:
    """Return the workflow that syncs a document into the graph."""
    return _middletier(
        "graph-sync",
        {"THOTH_SYNC_DOCUMENT_ID": fields["inspection_id"], "THOTH_FORCE_SYNC": str(bool(fields.get("force_sync")))},
    )


def repo_init(fields: Fields) -> Wanted:
    """Return the workflow that sets a repository up."""
    return _backend("thoth-repo-init", {"project-url": fields["project_url"]})

# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages with the fields that Thoth's producers send today; a field that a producer leaves unset is null."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Outgoing", "PackageVersion"]

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Outgoing:
    """A message to send.

    Attributes:
        base_name: the base name of its topic.
        sender: the component that sends it.
        fields: the fields of its type; the fields that all types have are not among them.
        version: the version of its type.
    """

    base_name: str
    sender: str
    fields: JsonObject
    version: str = "v1"

    @property
    def short_name(self) -> str:
        """The last part of the base name, such as package-released."""
        return self.base_name.rsplit(".", 1)[-1]

    @property
    def content(self) -> JsonObject:
        """The whole message, as its JSON value in Kafka."""
        common = {"component_name": self.sender, "service_version": "sandbox", "version": self.version}
        return {**common, **self.fields}


@dataclass(frozen=True)
class PackageVersion:
    """A package version on an index."""

    name: str
    version: str
    index_url: str

    def __str__(self) -> str:
        """Return a text such as "click 8.1.3"."""
        return f"{self.name} {self.version}"

    @property
    def fields(self) -> JsonObject:
        """The fields that most messages about package versions have."""
        return {"package_name": self.name, "package_version": self.version, "index_url": self.index_url}


def package_released(package: PackageVersion) -> Outgoing:
    """Return the message that a package version was released."""
    return Outgoing("thoth.package-release.package-released", "package-release", package.fields)


def unresolved_package(
    sender: str, name: str, index_url: str, *, version: str | None = None, solver: str | None = None
) -> Outgoing:
    """Return the message that a package version is not solved; without a version: that no version is solved."""
    fields = {"package_name": name, "package_version": version, "index_url": index_url, "solver": solver}
    return Outgoing("thoth.investigator.unresolved-package", sender, fields)


def unrevsolved_package(name: str, version: str) -> Outgoing:
    """Return the message that the graph does not know which packages depend on a version."""
    fields = {"package_name": name, "package_version": version}
    return Outgoing("thoth.investigator.unrevsolved-package", "graph-refresh", fields)


def si_unanalyzed_package(package: PackageVersion) -> Outgoing:
    """Return the message that a package version has no security analysis."""
    return Outgoing("thoth.investigator.si-unanalyzed-package", "graph-refresh", package.fields)


def solved_package(package: PackageVersion, solver: str) -> Outgoing:
    """Return the message that a solver has solved a package version."""
    return Outgoing("thoth.solver.solved-package", "solver", {**package.fields, "solver": solver})


def cve_provided(package: PackageVersion) -> Outgoing:
    """Return the message that a vulnerability (CVE) of a package version became known."""
    return Outgoing("thoth.cve-update.cve-provided", "cve-update", package.fields)


def advise_justification(text: str, kind: str, count: int) -> Outgoing:
    """Return the message that a justification occurred `count` times in advice; `kind` is its type, such as INFO."""
    fields = {"message": text, "justification_type": kind, "count": count, "adviser_version": "0.52.0"}
    return Outgoing("thoth.advise-reporter.advise-justification", "advise-reporter", fields)


def hash_mismatch(
    package: PackageVersion, missing_from_source: list[str], missing_from_database: list[str]
) -> Outgoing:
    """Return the message that the index and the graph have different hashes of a package version.

    Args:
        package: the package version.
        missing_from_source: the hashes that only the graph has.
        missing_from_database: the hashes that only the index has.
    """
    hashes = {"missing_from_source": missing_from_source, "missing_from_database": missing_from_database}
    return Outgoing("thoth.package-update.hash-mismatch", "package-update", {**package.fields, **hashes})


def missing_package(name: str, index_url: str) -> Outgoing:
    """Return the message that an index no longer has any version of a package."""
    fields = {"package_name": name, "index_url": index_url}
    return Outgoing("thoth.package-update.missing-package", "package-update", fields)


def missing_package_version(package: PackageVersion) -> Outgoing:
    """Return the message of a security analysis's download step that the index no longer has the package version."""
    return Outgoing("thoth.package-update.missing-package-version", "security-indicators", package.fields)


def update_provides_source_distro(package: PackageVersion, *, value: bool) -> Outgoing:
    """Return the message of a security analysis's download step on whether there is a source distribution."""
    return Outgoing("thoth.update-provides-source-distro", "security-indicators", {**package.fields, "value": value})


def adviser_trigger(
    sender: str,
    *,
    job_id: str | None = None,
    re_run_adviser_id: str | None = None,
    source_type: str = "CLI",
    origin: str | None = None,
) -> Outgoing:
    """Return the request to run an adviser, or to re-run it if `re_run_adviser_id` names an earlier run."""
    unset = dict.fromkeys(["count", "limit", "limit_latest_versions", "justification", "stack_info"])
    metadata = None if source_type != "KEBECHET" else {"message_justification": None}
    fields = {
        "recommendation_type": "stable",
        "dev": False,
        "debug": False,
        "authenticated": True,
        "origin": origin,
        "job_id": job_id,
        "re_run_adviser_id": re_run_adviser_id,
        "source_type": source_type,
        "kebechet_metadata": metadata,
        **unset,
    }
    return Outgoing("thoth.adviser-trigger", sender, fields, version="v5")


def adviser_re_run(adviser_id: str, source_type: str, origin: str | None) -> Outgoing:
    """Return the request to re-run an adviser as older producers send it: with the former name of the id's field."""
    names = ["github_event_type", "github_check_run_id", "github_installation_id", "github_base_repo_url"]
    fields = {
        "adviser_id": adviser_id,
        "recommendation_type": "stable",
        "origin": origin,
        "source_type": source_type,
        **dict.fromkeys(names),
    }
    return Outgoing("thoth.investigator.adviser-re-run", "solver", fields)


def kebechet_trigger(payload: JsonObject) -> Outgoing:
    """Return the message with the webhook payload of a git service."""
    fields = {"webhook_payload": payload, "job_id": None}
    return Outgoing("thoth.kebechet-trigger", "user-api", fields)


def kebechet_run_url_trigger(
    sender: str, url: str, metadata: JsonObject | None = None, *, job_id: str | None = None
) -> Outgoing:
    """Return the request to run Kebechet on a repository; `metadata` says why, and replaces nulls."""
    names = ["message_justification", "package_name", "package_version", "package_index"]
    fields = {
        "url": url,
        "service_name": "github",
        "installation_id": None,
        "job_id": job_id,
        "metadata": {**dict.fromkeys(names), **(metadata or {})},
    }
    return Outgoing("thoth.kebechet-run-url-trigger", sender, fields, version="v2")


def package_extract_trigger(image: str, job_id: str, *, user: str, password: str) -> Outgoing:
    """Return the request to find out what a container image contains."""
    fields = {
        "image": image,
        "environment_type": "runtime",
        "is_external": True,
        "verify_tls": True,
        "debug": False,
        "job_id": job_id,
        "origin": None,
        "registry_user": user,
        "registry_password": password,
        "graph_sync": False,
    }
    return Outgoing("thoth.package-extract-trigger", "user-api", fields, version="v2")


def provenance_checker_trigger(job_id: str, origin: str, sources: list[str]) -> Outgoing:
    """Return the request to check that the packages of a stack come from the indexes in `sources`."""
    fields = {
        "debug": False,
        "authenticated": True,
        "origin": origin,
        "whitelisted_sources": sources,
        "job_id": job_id,
        **dict.fromkeys(["kebechet_metadata", "justification", "stack_info"]),
    }
    return Outgoing("thoth.provenance-checker-trigger", "user-api", fields, version="v4")


def build_analysis_trigger(job_id: str, base_image: str, output_image: str, password: str) -> Outgoing:
    """Return the request to analyse the build of a container image; `password` is for the output image's registry."""
    unset = ["base_image_analysis_id", "output_image_analysis_id", "buildlog_document_id", "buildlog_parser_id"]
    fields = {
        "base_image": base_image,
        "output_image": output_image,
        "environment_type": "runtime",
        "debug": False,
        "job_id": job_id,
        "origin": None,
        "base_registry_password": None,
        "base_registry_user": None,
        "base_registry_verify_tls": True,
        "output_registry_password": password,
        "output_registry_user": "builder",
        "output_registry_verify_tls": True,
        **dict.fromkeys(unset),
    }
    return Outgoing("thoth.build-analysis-trigger", "user-api", fields)


def inspection_completed(inspection_id: str) -> Outgoing:
    """Return the message that an inspection has finished."""
    fields = {"inspection_id": inspection_id, "force_sync": False}
    return Outgoing("thoth.inspection-completed", "amun", fields)


def repo_init(project_url: str, job_id: str) -> Outgoing:
    """Return the request to set up a repository for Thoth."""
    return Outgoing("thoth.repo-init", "user-api", {"project_url": project_url, "job_id": job_id})

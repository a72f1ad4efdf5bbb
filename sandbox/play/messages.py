# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the story, shaped like those of today's producers: what a producer leaves unset is null."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Outgoing", "PackageVersion"]

Content = dict[str, Any]


@dataclass(frozen=True)
class Outgoing:
    """A message to send: its topic's base name, who sends it, and its own fields beside the common ones."""

    base_name: str
    sender: str
    fields: Content
    version: str = "v1"

    @property
    def short_name(self) -> str:
        """The last part of the base name, as people call the message."""
        return self.base_name.rsplit(".", 1)[-1]

    @property
    def content(self) -> Content:
        """The whole message as it goes over Kafka."""
        common = {"component_name": self.sender, "service_version": "sandbox", "version": self.version}
        return {**common, **self.fields}


@dataclass(frozen=True)
class PackageVersion:
    """A package version on an index, by the index's URL."""

    name: str
    version: str
    index_url: str

    def __str__(self) -> str:
        """Give it as people write it."""
        return f"{self.name} {self.version}"

    @property
    def fields(self) -> Content:
        """The fields of most messages about packages."""
        return {"package_name": self.name, "package_version": self.version, "index_url": self.index_url}


def package_released(where: PackageVersion) -> Outgoing:
    """Say that a version was released."""
    return Outgoing("thoth.package-release.package-released", "package-release", where.fields)


def unresolved_package(
    sender: str, name: str, index_url: str, *, version: str | None = None, solver: str | None = None
) -> Outgoing:
    """Say that a package is not solved; without a version: none of its versions."""
    fields = {"package_name": name, "package_version": version, "index_url": index_url, "solver": solver}
    return Outgoing("thoth.investigator.unresolved-package", sender, fields)


def unrevsolved_package(name: str, version: str) -> Outgoing:
    """Say that it is not known what depends on a version."""
    fields = {"package_name": name, "package_version": version}
    return Outgoing("thoth.investigator.unrevsolved-package", "graph-refresh", fields)


def si_unanalyzed_package(where: PackageVersion) -> Outgoing:
    """Say that the security of a version was not analysed."""
    return Outgoing("thoth.investigator.si-unanalyzed-package", "graph-refresh", where.fields)


def solved_package(where: PackageVersion, solver: str) -> Outgoing:
    """Say that a solver has solved a version."""
    return Outgoing("thoth.solver.solved-package", "solver", {**where.fields, "solver": solver})


def cve_provided(where: PackageVersion) -> Outgoing:
    """Say that a vulnerability of a version became known."""
    return Outgoing("thoth.cve-update.cve-provided", "cve-update", where.fields)


def advise_justification(text: str, kind: str, count: int) -> Outgoing:
    """Say how often advice was justified like that."""
    fields = {"message": text, "justification_type": kind, "count": count, "adviser_version": "0.52.0"}
    return Outgoing("thoth.advise-reporter.advise-justification", "advise-reporter", fields)


def hash_mismatch(where: PackageVersion, missing_from_source: list[str], missing_from_database: list[str]) -> Outgoing:
    """Say that index and graph have different hashes of a version."""
    hashes = {"missing_from_source": missing_from_source, "missing_from_database": missing_from_database}
    return Outgoing("thoth.package-update.hash-mismatch", "package-update", {**where.fields, **hashes})


def missing_package(name: str, index_url: str) -> Outgoing:
    """Say that a whole package is gone."""
    fields = {"package_name": name, "index_url": index_url}
    return Outgoing("thoth.package-update.missing-package", "package-update", fields)


def missing_package_version(where: PackageVersion) -> Outgoing:
    """Say that a version is gone; the download step of a security analysis does."""
    return Outgoing("thoth.package-update.missing-package-version", "security-indicators", where.fields)


def update_provides_source_distro(where: PackageVersion, *, value: bool) -> Outgoing:
    """Say whether a version has a source distribution; the download step of a security analysis does."""
    return Outgoing("thoth.update-provides-source-distro", "security-indicators", {**where.fields, "value": value})


def adviser_trigger(
    sender: str,
    *,
    job_id: str | None = None,
    re_run_adviser_id: str | None = None,
    source_type: str = "CLI",
    origin: str | None = None,
) -> Outgoing:
    """Ask for advice, or for an advice to be given again."""
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
    """Ask for an advice to be given again, as older producers do: under the field's former name."""
    names = ["github_event_type", "github_check_run_id", "github_installation_id", "github_base_repo_url"]
    fields = {
        "adviser_id": adviser_id,
        "recommendation_type": "stable",
        "origin": origin,
        "source_type": source_type,
        **dict.fromkeys(names),
    }
    return Outgoing("thoth.investigator.adviser-re-run", "solver", fields)


def kebechet_trigger(payload: Content) -> Outgoing:
    """Hand on what a git service said about a repository."""
    fields = {"webhook_payload": payload, "job_id": None}
    return Outgoing("thoth.kebechet-trigger", "user-api", fields)


def kebechet_run_url_trigger(
    sender: str, url: str, metadata: Content | None = None, *, job_id: str | None = None
) -> Outgoing:
    """Ask Kebechet to run on a repository."""
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
    """Ask what a container image holds."""
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
    """Ask whether packages come from where they claim to."""
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
    """Ask for the analysis of a build."""
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
    """Say that an inspection has ended."""
    fields = {"inspection_id": inspection_id, "force_sync": False}
    return Outgoing("thoth.inspection-completed", "amun", fields)


def repo_init(project_url: str, job_id: str) -> Outgoing:
    """Ask for a repository to be set up."""
    return Outgoing("thoth.repo-init", "user-api", {"project_url": project_url, "job_id": job_id})

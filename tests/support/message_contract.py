# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract with producers, in its own notation: names, fields, versions and modes of the message types.

``?`` is optional, ``=x`` a default, a field without a type is text. Modes: M middletier, B backend, X metrics.
Message types that are not part of the contract may be added without an entry here.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TABLE = """
thoth.package-release.package-released | v1 | M
    index_url, package_name, package_version
thoth.investigator.unresolved-package | v1 | M
    package_name, index_url, package_version?, solver?
thoth.investigator.unrevsolved-package | v1 | M
    package_name, package_version
thoth.investigator.si-unanalyzed-package | v1 | M
    package_name, package_version, index_url
thoth.solver.solved-package | v1 | M
    package_name, package_version, index_url, solver
thoth.cve-update.cve-provided | v1 | B
    package_name, package_version, index_url
thoth.advise-reporter.advise-justification | v1 | X
    message, justification_type, count: int, adviser_version: any
thoth.package-update.hash-mismatch | v1 | M B
    index_url, package_name, package_version, missing_from_source: [str], missing_from_database: any
thoth.package-update.missing-package | v1 | B
    index_url, package_name
thoth.package-update.missing-package-version | v1 | B
    index_url, package_name, package_version
thoth.update-provides-source-distro | v1 | M
    package_name, package_version, index_url, value: bool
thoth.adviser-trigger | v1 v2 v3 v4 v5 | B
    recommendation_type, dev: bool=false, debug: bool=false, authenticated: bool=false, count: int?, limit: int?,
    origin?, job_id?, limit_latest_versions: any?, re_run_adviser_id?, source_type?, kebechet_metadata: object?,
    justification: [object]?, stack_info: [object]?
thoth.investigator.adviser-re-run | v1 v2 | B
    re_run_adviser_id, recommendation_type, origin?, source_type?, github_event_type: any?, github_check_run_id: any?,
    github_installation_id: any?, github_base_repo_url: any?
thoth.kebechet-trigger | v1 | B
    webhook_payload: object, job_id?
thoth.kebechet-run-url-trigger | v1 v2 | B
    url?, service_name?, installation_id: any?, job_id?,
    metadata: {message_justification: int?, package_name?, package_version?, package_index?}?
thoth.package-extract-trigger | v1 v2 | B
    image, environment_type, is_external: bool=true, verify_tls: bool=true, debug: bool=false, job_id?, origin?,
    registry_user?, registry_password?, graph_sync: bool=false
thoth.provenance-checker-trigger | v1 v2 v3 v4 | B
    debug: bool=false, authenticated: bool=false, origin?, whitelisted_sources: [str]?, job_id?,
    kebechet_metadata: object?, justification: [object]?, stack_info: [object]?
thoth.build-analysis-trigger | v1 | M
    base_image?, base_image_analysis_id?, buildlog_document_id?, buildlog_parser_id?, environment_type?,
    debug: bool=false, job_id?, origin?, output_image?, output_image_analysis_id?, base_registry_password?,
    base_registry_user?, base_registry_verify_tls: bool=true, output_registry_password?, output_registry_user?,
    output_registry_verify_tls: bool=true
thoth.inspection-completed | v1 | M
    inspection_id, force_sync: bool=false
thoth.repo-init | v1 | B
    project_url, job_id?
"""


class Row(NamedTuple):
    """The entry of a message type: its own fields, its versions, and the letters of its modes."""

    fields: str
    versions: tuple[str, ...]
    modes: tuple[str, ...]


def _rows() -> Iterator[tuple[str, Row]]:
    # A row begins at the start of a line; its indented lines continue it.
    for text in re.split(r"\n(?=\S)", _TABLE.strip()):
        head, _, fields = text.partition("\n")
        base_name, versions, modes = head.split(" | ")
        yield base_name, Row(" ".join(fields.split()), tuple(versions.split()), tuple(modes.split()))


#: The entry of each message type by its base name.
CONTRACT = dict(_rows())

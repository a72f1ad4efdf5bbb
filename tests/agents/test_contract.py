# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract with producers, in its own notation: names, fields, versions and modes.

``?`` is optional, ``=x`` a default, a field without a type is text. Modes: M middletier, B backend, X metrics.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from typing_extensions import is_typeddict

from investigator.agent import MESSAGE_TYPES, Mode, SecretStr, Text
from investigator.agent.message import Message, fields_of
from tests.agents.examples import EXAMPLES

TABLE = """
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
    message, justification_type, count: int, adviser_version
thoth.package-update.hash-mismatch | v1 | M B
    index_url, package_name, package_version, missing_from_source: [str], missing_from_database: [str]
thoth.package-update.missing-package | v1 | B
    index_url, package_name
thoth.package-update.missing-package-version | v1 | B
    index_url, package_name, package_version
thoth.update-provides-source-distro | v1 | M
    package_name, package_version, index_url, value: bool
thoth.adviser-trigger | v1 v2 v3 v4 v5 | B
    recommendation_type, dev: bool=false, debug: bool=false, authenticated: bool=false, count: int?, limit: int?,
    origin?, job_id?, limit_latest_versions: int?, re_run_adviser_id?, source_type?, kebechet_metadata: object?,
    justification: [object]?, stack_info: [object]?
thoth.investigator.adviser-re-run | v1 v2 | B
    re_run_adviser_id, recommendation_type, origin?, source_type?, github_event_type?, github_check_run_id: int?,
    github_installation_id: int?, github_base_repo_url?
thoth.kebechet-trigger | v1 | B
    webhook_payload: object, job_id?
thoth.kebechet-run-url-trigger | v1 v2 | B
    url?, service_name?, installation_id?, job_id?,
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
    """What the contract says about a message type."""

    fields: str
    versions: tuple[str, ...]
    modes: tuple[str, ...]


def rows() -> Iterator[tuple[str, Row]]:
    """Read the table; a row begins at the start of a line."""
    for text in re.split(r"\n(?=\S)", TABLE.strip()):
        head, _, fields = text.partition("\n")
        base_name, versions, modes = head.split(" | ")
        yield base_name, Row(" ".join(fields.split()), tuple(versions.split()), tuple(modes.split()))


CONTRACT = dict(rows())
MODES = {Mode.MIDDLETIER: "M", Mode.BACKEND: "B", Mode.METRICS: "X"}
PASSWORDS = {"registry_password", "base_registry_password", "output_registry_password"}


def notation(record: type[Message]) -> str:
    """Write the own fields of a record as the contract does."""
    defaults = {name: default for name, default in record._options.defaults.items() if default is not None}
    return ", ".join(
        _field(name, kind, "" if required else f"={str(defaults[name]).lower()}" if name in defaults else "?")
        for name, (kind, required) in fields_of(record).items()
        if name not in {"component_name", "service_version", "version"}
    )


def _field(name: str, kind: object, rest: str) -> str:
    kind_name = _kind(kind)
    return f"{name}{rest}" if kind_name == "str" else f"{name}: {kind_name}{rest}"


def _kind(kind: object) -> str:
    without_none = [part for part in getattr(kind, "__args__", ()) if part is not type(None)]
    if is_typeddict(kind):
        return "{" + ", ".join(_field(name, of, "?") for name, of in kind.__annotations__.items()) + "}"
    if getattr(kind, "__origin__", None) is list:
        return f"[{_kind(without_none[0])}]"
    if getattr(kind, "__origin__", None) is dict:
        return "object"
    if kind in {Text, SecretStr}:
        return "str"
    return kind.__name__ if isinstance(kind, type) else _kind(without_none[0])


def test_every_message_type_of_the_contract_is_handled_and_has_an_example() -> None:
    """None of the twenty is forgotten, here or in the tests of what they do."""
    assert len(CONTRACT) == 20
    assert set(CONTRACT) <= set(MESSAGE_TYPES)
    assert set(CONTRACT) == set(EXAMPLES)


@pytest.mark.parametrize("base_name", CONTRACT)
def test_a_message_type_has_the_fields_versions_and_modes_of_the_contract(base_name: str) -> None:
    """Producers depend on every name, type, default and version here."""
    message_type = MESSAGE_TYPES[base_name]
    modes = tuple(letter for mode, letter in MODES.items() if mode in message_type.handlers)

    assert Row(notation(message_type.record), message_type.versions, modes) == CONTRACT[base_name]


@pytest.mark.parametrize("base_name", CONTRACT)
def test_an_example_has_all_fields_of_its_type(base_name: str) -> None:
    """The tests of what messages do leave out no field."""
    own = set(fields_of(MESSAGE_TYPES[base_name].record)) - {"component_name", "service_version", "version"}

    assert set(EXAMPLES[base_name].fields) == own


def test_passwords_are_kept_as_secrets() -> None:
    """A password that is a plain text would show in the first log line about its record."""
    secrets = {
        name
        for message_type in MESSAGE_TYPES.values()
        for name, (kind, _) in fields_of(message_type.record).items()
        if SecretStr in getattr(kind, "__args__", (kind,))
    }

    assert secrets >= PASSWORDS

# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from investigator.agent.message import Message, fields_of
from investigator.message_types import load_message_types
from sandbox.play import messages
from sandbox.play.messages import Outgoing, PackageVersion
from tests.support.message_contract import CONTRACT

WHERE = PackageVersion("click", "8.1.3", "http://index/pypi.org/simple")
JOB = "adviser-220101000000-0123456789abcdef"
EVERY = [
    messages.package_released(WHERE),
    messages.unresolved_package("adviser", "click", WHERE.index_url),
    messages.unrevsolved_package("click", "8.1.3"),
    messages.si_unanalyzed_package(WHERE),
    messages.solved_package(WHERE, "solver-rhel-8-py38"),
    messages.cve_provided(WHERE),
    messages.advise_justification("All is known", "INFO", 2),
    messages.hash_mismatch(WHERE, ["a"], ["b"]),
    messages.missing_package("click", WHERE.index_url),
    messages.missing_package_version(WHERE),
    messages.update_provides_source_distro(WHERE, value=False),
    messages.adviser_trigger("user-api", job_id=JOB),
    messages.adviser_re_run(JOB, "CLI", None),
    messages.kebechet_trigger({"action": "closed"}),
    messages.kebechet_run_url_trigger("user-api", "https://github.com/thoth-station/thamos"),
    messages.package_extract_trigger("quay.io/image", JOB, user="reader", password="secret"),
    messages.provenance_checker_trigger(JOB, "https://github.com/thoth-station/thamos", [WHERE.index_url]),
    messages.build_analysis_trigger(JOB, "quay.io/image", "quay.io/other", "secret"),
    messages.inspection_completed("inspection-1"),
    messages.repo_init("https://github.com/thoth-station/thamos", JOB),
]


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.short_name)
def test_investigator_reads_every_message(message: Outgoing) -> None:
    """Guarantee: a message of the story is one that the record of its type takes, in a version that it knows."""
    record = load_message_types()[message.base_name].parse(json.dumps(message.content).encode())
    assert record.component_name == message.sender


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.short_name)
def test_a_message_has_all_fields_of_its_type(message: Outgoing) -> None:
    """Guarantee: as today's producers do it, a field that is unset is sent as null and never left out."""
    record: type[Message] = load_message_types()[message.base_name].record
    renamed = {new: old for old, new in record.aliases.items() if old in message.content}
    assert {renamed.get(name, name) for name in fields_of(record)} == set(message.content)


def test_there_is_a_message_of_every_type_of_the_contract() -> None:
    """A message type that the contract does not name may be registered without a message here."""
    assert CONTRACT.keys() <= {message.base_name for message in EVERY} <= load_message_types().keys()


def test_metadata_of_a_run_names_all_of_its_fields() -> None:
    """Guarantee: metadata that is given joins the fields that are null."""
    metadata = messages.kebechet_run_url_trigger("x", "y", {"package_name": "click"}).fields["metadata"]
    assert metadata["package_name"] == "click"
    assert set(metadata) == {"message_justification", "package_name", "package_version", "package_index"}

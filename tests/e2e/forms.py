# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of all registered message types, from which the end-to-end tests make messages.

The types of the contract have detailed forms here. The form of any other type is made from the example in its test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from investigator.message_types import load_message_types
from sandbox.cluster import SOLVERS
from sandbox.graph_seed import PYPI, GraphSeed
from tests.e2e import effects, graph_effects
from tests.e2e.case import ByMode, Effects, Fields, Wanted
from tests.support.examples import PASSWORD, REGISTRIES, Example, load_examples

REPOSITORY = "https://github.com/thoth-station/cli-examples"
ADVISER_ID = "adviser-220101000000-0123456789abcdef"
METADATA: Fields = {
    "message_justification": 5,  # a new release
    "package_name": "flask",
    "package_version": "2.1.2",
    "package_index": PYPI,
}
ADVICE: Fields = {
    "debug": True,
    "authenticated": True,
    "origin": REPOSITORY,
    "kebechet_metadata": METADATA,
    "justification": [{"message": "flask was released", "type": "INFO"}],
    "stack_info": [{"message": "all is well", "type": "INFO"}],
}
ADVISER: Fields = {
    **ADVICE,
    "dev": True,
    "count": 2,
    "limit": 1000,
    "limit_latest_versions": 5,
    "re_run_adviser_id": ADVISER_ID,
    "source_type": "KEBECHET",
}
RE_RUN: Fields = {
    "origin": REPOSITORY,
    "source_type": "KEBECHET",
    "github_event_type": "thoth_thamos_advise",
    "github_check_run_id": 9,
    "github_installation_id": 10,
    "github_base_repo_url": REPOSITORY,
}
EXTRACT: Fields = {
    "is_external": False,
    "verify_tls": False,
    "debug": True,
    "origin": REPOSITORY,
    "registry_user": "fridolin",
    "registry_password": PASSWORD,
    "graph_sync": True,
}
BUILD: Fields = {
    "buildlog_document_id": "buildlog-220101000000-0123456789abcdef",
    "environment_type": "runtime",
    "debug": True,
    "origin": REPOSITORY,
    "output_image": "quay.io/thoth-station/s2i-thoth-ubi8-py38:v0.32.1",
    **REGISTRIES,
}

_NUMBERS = count(1)


@dataclass(frozen=True)
class Form:
    """How messages of a type are made, and their expected effects.

    Attributes:
        required: returns the required fields, different ones at each call.
        effects: returns the expected effects by mode for a message with these fields.
        optional: the other fields.
        versions: the number of versions, from v1 on.
        prepare: writes the rows that the graph has to hold before the message.
        job_id: an id that the message may set for its workflow; empty if it cannot.
    """

    required: Callable[[], Fields]
    effects: Callable[[Fields], ByMode]
    optional: Fields = field(default_factory=dict)
    versions: int = 1
    prepare: Callable[[Fields, GraphSeed], None] = lambda _fields, _seed: None
    job_id: str = ""


def release() -> Fields:
    """Return a package version that no other message has."""
    return {"package_name": "flask", "package_version": f"2.1.{next(_NUMBERS)}", "index_url": PYPI}


def _missing_package() -> Fields:
    return {"package_name": f"flask-{next(_NUMBERS)}", "index_url": PYPI}


def _repository(field_name: str) -> Fields:
    return {field_name: f"https://github.com/thoth-station/repository-{next(_NUMBERS)}"}


def _payload() -> Fields:
    repository = {"full_name": f"thoth-station/repository-{next(_NUMBERS)}"}
    return {"webhook_payload": {"action": "created", "repository": repository}}


def _only(mode: str, *wanted: Callable[[Fields], Wanted]) -> Callable[[Fields], ByMode]:
    return lambda fields: {mode: Effects(tuple(each(fields) for each in wanted))}


def _administrator(base_name: str) -> Callable[[Fields], Wanted]:
    return partial(effects.administrator, base_name)


def _solved_by_all(fields: Fields) -> ByMode:
    return {"middletier": Effects((*effects.solvers(fields), effects.revsolver(fields)))}


def forms(index_url: str, enabled: frozenset[str]) -> dict[str, Form]:
    """Return the form of every registered message type by its base name.

    Args:
        index_url: the URL of a registered package index.
        enabled: the URLs of all enabled package indexes.
    """
    detailed = {**_about_packages(index_url, enabled), **_of_users()}
    return {base_name: _form_of(examples[0]) for base_name, examples in load_examples().items() if examples} | detailed


def _form_of(example: Example) -> Form:
    return Form(
        lambda: example.required,
        lambda _fields: effects.of_example(example),
        example.optional,
        versions=len(load_message_types()[example.base_name].versions),
    )


def _about_packages(index_url: str, enabled: frozenset[str]) -> dict[str, Form]:
    return {
        "thoth.package-release.package-released": Form(release, _solved_by_all),
        "thoth.investigator.unresolved-package": Form(
            lambda: {**release(), "index_url": index_url},
            lambda fields: {"middletier": Effects(effects.solvers(fields, dependencies=enabled))},
            {"solver": SOLVERS[0]},
        ),
        "thoth.investigator.unrevsolved-package": Form(release, _only("middletier", effects.revsolver)),
        "thoth.investigator.si-unanalyzed-package": Form(release, _only("middletier", effects.security_indicator)),
        "thoth.solver.solved-package": Form(
            lambda: {**release(), "solver": SOLVERS[0]},
            _only("middletier", effects.security_indicator, _administrator("thoth.solver.solved-package")),
        ),
        "thoth.cve-update.cve-provided": Form(
            release, _only("backend", _administrator("thoth.cve-update.cve-provided"))
        ),
        "thoth.advise-reporter.advise-justification": Form(
            lambda: {"message": "flask is slow", "justification_type": "INFO", "count": 3, "adviser_version": "0.50"},
            lambda _: {},
        ),
        "thoth.package-update.hash-mismatch": Form(
            lambda: graph_effects.mismatch(release), graph_effects.of_mismatch, prepare=graph_effects.seed_hashes
        ),
        "thoth.package-update.missing-package": Form(
            _missing_package, graph_effects.of_missing_package, prepare=graph_effects.seed_versions
        ),
        "thoth.package-update.missing-package-version": Form(
            release, graph_effects.of_missing_version, prepare=graph_effects.seed_solved
        ),
        "thoth.update-provides-source-distro": Form(
            lambda: {**release(), "value": False}, graph_effects.of_source_distro, prepare=graph_effects.seed_solved
        ),
    }


def _of_users() -> dict[str, Form]:
    return {
        "thoth.adviser-trigger": Form(
            lambda: {"recommendation_type": "latest"},
            _only("backend", effects.adviser),
            ADVISER,
            versions=5,
            job_id="adviser-220101000000-00000000deadbeef",
        ),
        "thoth.investigator.adviser-re-run": Form(
            lambda: {"re_run_adviser_id": ADVISER_ID, "recommendation_type": "stable"},
            _only("backend", effects.adviser),
            RE_RUN,
            versions=2,
        ),
        "thoth.kebechet-trigger": Form(
            _payload, _only("backend", effects.kebechet), job_id="kebechet-job-220101000000-00000000deadbeef"
        ),
        "thoth.kebechet-run-url-trigger": Form(
            partial(_repository, "url"),
            _only("backend", effects.kebechet_run_url),
            {"service_name": "gitlab", "installation_id": "7", "metadata": METADATA},
            versions=2,
            job_id="kebechet-run-url-220101000000-00000000deadbeef",
        ),
        "thoth.package-extract-trigger": Form(
            lambda: {"image": "quay.io/thoth-station/adviser:v0.50.0", "environment_type": "runtime"},
            _only("backend", effects.package_extract),
            EXTRACT,
            versions=2,
            job_id="package-extract-220101000000-00000000deadbeef",
        ),
        "thoth.provenance-checker-trigger": Form(
            dict,
            _only("backend", effects.provenance_checker),
            {**ADVICE, "whitelisted_sources": [PYPI, graph_effects.OTHER_INDEX]},
            versions=4,
            job_id="provenance-checker-220101000000-00000000deadbeef",
        ),
        "thoth.build-analysis-trigger": Form(
            lambda: {"base_image": "registry.access.redhat.com/ubi8/python-38:1-71"},
            _only("middletier", effects.build_analysis),
            BUILD,
            job_id="build-analysis-220101000000-00000000deadbeef",
        ),
        "thoth.inspection-completed": Form(
            lambda: {"inspection_id": f"inspection-{next(_NUMBERS):012}-0123456789abcdef"},
            _only("middletier", effects.graph_sync),
            {"force_sync": True},
        ),
        "thoth.repo-init": Form(
            partial(_repository, "project_url"),
            _only("backend", effects.repo_init),
            job_id="thoth-repo-init-220101000000-00000000deadbeef",
        ),
    }

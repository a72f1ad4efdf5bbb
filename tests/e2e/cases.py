# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the end-to-end tests: every type in all its forms, its examples, and special cases."""

from collections.abc import Callable, Iterator
from functools import partial

from sandbox.cluster import SOLVERS
from sandbox.graph_seed import PYPI, GraphSeed
from tests.e2e import effects
from tests.e2e.case import Case, Effects, Fields, Wanted
from tests.e2e.forms import ADVISER_ID, METADATA, Form, forms, release
from tests.e2e.graph_effects import OTHER_INDEX, seed_solved
from tests.support.examples import load_examples

# The versions of requests that the sandbox's index lists, latest first.
_LISTED_VERSIONS = ["2.27.1", "2.26.0"]


def cases(index_url: str) -> dict[str, Case]:
    """Return the messages by the names that the tests show.

    Args:
        index_url: the URL of the sandbox's package index.
    """
    enabled = frozenset({index_url, PYPI, OTHER_INDEX})
    return {
        **_examples(),
        **_of_all_types(forms(index_url, enabled)),
        **_unresolved(index_url, enabled),
        **_known_security(),
        **_of_older_producers(),
    }


def _examples() -> dict[str, Case]:
    return {
        f"{example} as in the example": Case(example.base_name, example.fields, effects.of_example(example))
        for examples in load_examples().values()
        for example in examples
    }


def _of_all_types(all_forms: dict[str, Form]) -> dict[str, Case]:
    return {
        f"{base_name} {name}": Case(base_name, fields, form.effects(fields), partial(form.prepare, fields))
        for base_name, form in all_forms.items()
        for name, fields in _variants(form)
    }


def _variants(form: Form) -> Iterator[tuple[str, Fields]]:
    yield "newest", {**form.required(), **form.optional, "version": f"v{form.versions}"}
    yield "least", form.required()
    yield "with nulls", {**form.required(), **dict.fromkeys([*form.optional, "version"])}
    yield "with unknown fields", {**form.required(), **form.optional, "colour": "blue", "nested": {"step": None}}
    for number in range(1, form.versions):
        yield f"of version v{number}", {**form.required(), "version": f"v{number}"}
    if form.job_id:
        yield "with a job id", {**form.required(), "job_id": form.job_id}


def _unresolved(index_url: str, enabled: frozenset[str]) -> dict[str, Case]:
    def case(
        fields: Fields, versions: list[str], solvers: tuple[str, ...], prepare: Callable[[GraphSeed], None]
    ) -> Case:
        wanted = tuple(
            effects.solver(fields["package_name"], version, index_url, solver, enabled)
            for version in versions
            for solver in solvers
        )
        effects_by_mode = {"middletier": Effects(wanted)}
        return Case("thoth.investigator.unresolved-package", fields, effects_by_mode, prepare)

    def whole(version: str | None) -> Case:
        fields = {"package_name": "requests", "index_url": index_url, "package_version": version}
        return case(fields, _LISTED_VERSIONS, SOLVERS, lambda _: None)

    def known(solvers: tuple[str, ...], **named: str) -> Case:
        fields = {**release(), "index_url": index_url, **named}
        name, version = fields["package_name"], fields["package_version"]
        return case(fields, [version], solvers, lambda seed: seed.solved(name, version, index_url, SOLVERS[0]))

    return {
        "unresolved without a version": whole(None),
        "unresolved with an empty version": whole(""),
        "unresolved with a star for a version": whole("*"),
        "unresolved that one solver has solved": known(SOLVERS[1:]),
        "unresolved that the named solver has solved": known((), solver=SOLVERS[0]),
        "unresolved that the named solver has not solved": known(SOLVERS[1:], solver=SOLVERS[1]),
    }


def _known_security() -> dict[str, Case]:
    def analysed(fields: Fields, seed: GraphSeed) -> None:
        seed_solved(fields, seed)
        seed.si_aggregated(fields["package_name"], fields["package_version"], PYPI)

    def case(base_name: str, fields: Fields, *wanted: Wanted) -> Case:
        return Case(base_name, fields, {"middletier": Effects(wanted)}, partial(analysed, fields))

    solved = {**release(), "solver": SOLVERS[0]}
    return {
        "analysed already": case("thoth.investigator.si-unanalyzed-package", release()),
        "solved and analysed already": case(
            "thoth.solver.solved-package", solved, effects.administrator("thoth.solver.solved-package", solved)
        ),
    }


def _of_older_producers() -> dict[str, Case]:
    re_run = {"adviser_id": ADVISER_ID, "recommendation_type": "stable"}
    run_url = {"url": "https://github.com/thoth-station/kebechet", "kebechet_metadata": METADATA}
    advice = effects.adviser({"re_run_adviser_id": ADVISER_ID, **re_run})
    return {
        "re-run with adviser_id": Case("thoth.investigator.adviser-re-run", re_run, {"backend": Effects((advice,))}),
        "run-url with kebechet_metadata": Case(
            "thoth.kebechet-run-url-trigger", run_url, {"backend": Effects((effects.kebechet_run_url(run_url),))}
        ),
    }

# SPDX-License-Identifier: GPL-3.0-or-later
"""What workflows do and send."""

import asyncio
import json

import pytest

from sandbox.play.fixtures import FEDORA, RHEL, artifacts_now
from sandbox.play.messages import Outgoing, Where
from sandbox.play.requests import AdviceRequest, Need, RequestStore
from sandbox.play.runs import Runs
from sandbox.workflow_store import CreatedWorkflow
from tests.sandbox.play.fake_workers import URL, MemoryKnowledge, workflow

CLICK = Where("click", "8.1.3", URL)
FLASK = AdviceRequest(RHEL, (Need("flask", None, URL), Need("jinja2", "3.1.2", URL)))


@pytest.fixture
def knowledge() -> MemoryKnowledge:
    """A graph that knows nothing."""
    return MemoryKnowledge()


@pytest.fixture
def request_store() -> RequestStore:
    """A desk without requests."""
    return RequestStore()


@pytest.fixture
def runs(knowledge: MemoryKnowledge, request_store: RequestStore) -> Runs:
    """The runs of a story that has not begun."""
    return Runs(knowledge, request_store)


def solver(name: str, package: str, version: str) -> CreatedWorkflow:
    """Make a solver workflow."""
    parameters = {"THOTH_SOLVER_NAME": name, "THOTH_SOLVER_PACKAGES": f"{package}==={version}"}
    return workflow("solver", f"{name}-1", **parameters, THOTH_SOLVER_INDEXES=URL)


def analysis(package: str, version: str) -> CreatedWorkflow:
    """Make a workflow that analyses the security of a version."""
    prefix = "THOTH_SECURITY_INDICATORS_PACKAGE"
    parameters = {f"{prefix}_NAME": package, f"{prefix}_VERSION": version, f"{prefix}_INDEX": URL}
    return workflow("security-indicator", **parameters)


def adviser(job: str, re_run: str | None = None) -> CreatedWorkflow:
    """Make an adviser workflow."""
    return workflow("adviser", job, THOTH_ADVISER_METADATA=json.dumps({"re_run_adviser_id": re_run}))


def administrator(message_type: str, solver_name: str = "", version: str = "") -> CreatedWorkflow:
    """Make a workflow that looks for the projects that click concerns."""
    package = {"THOTH_PACKAGE_NAME": "click", "THOTH_PACKAGE_VERSION": version, "THOTH_PACKAGE_INDEX": URL}
    cause = {"THOTH_SOLVER_NAME": solver_name, "THOTH_MESSAGE_TYPE": message_type}
    return workflow("kebechet-administrator", **package, **cause)


def names(outgoing: tuple[Outgoing, ...]) -> list[str]:
    """Give the short names of messages."""
    return [message.short_name for message in outgoing]


async def test_a_solver_stores_what_it_solved_and_says_so(runs: Runs, knowledge: MemoryKnowledge) -> None:
    """Guarantee: the graph has version, solver and hashes before solved-package goes out."""
    result = await runs.run(solver(RHEL, "click", "8.1.3"))
    assert knowledge.solved == {("click", "8.1.3", URL, RHEL)}
    assert knowledge.hashes == {CLICK: artifacts_now("click", "8.1.3")}
    assert [message.fields for message in result.outgoing] == [{**CLICK.fields, "solver": RHEL}]


async def test_the_solver_for_fedora_waits_for_the_analysis(runs: Runs, knowledge: MemoryKnowledge) -> None:
    """Guarantee: whatever the order of events, the second solver's message finds the analysis in the graph."""
    waiting = asyncio.ensure_future(runs.run(solver(FEDORA, "click", "8.1.3")))
    await asyncio.wait([waiting], timeout=0.01)
    assert not waiting.done()
    await runs.run(analysis("click", "8.1.3"))
    assert names((await waiting).outgoing) == ["solved-package"]
    assert CLICK in knowledge.analysed


async def test_the_solver_for_fedora_does_not_wait_for_ever(
    knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Guarantee: without an analysis the solver goes on when its patience ends."""
    result = await Runs(knowledge, request_store, patience=0.01).run(solver(FEDORA, "click", "8.1.3"))
    assert names(result.outgoing) == ["solved-package"]


async def test_nothing_is_waited_for_that_is_analysed(runs: Runs, knowledge: MemoryKnowledge) -> None:
    """Guarantee: a version that was analysed earlier is solved again at once."""
    knowledge.analysed.add(CLICK)
    assert names((await runs.run(solver(FEDORA, "click", "8.1.3"))).outgoing) == ["solved-package"]


@pytest.mark.parametrize(
    ("package", "version", "message"),
    [
        ("click", "8.1.3", None),
        ("tensorflow", "2.9.1", "update-provides-source-distro"),
        ("atomicwrites", "1.4.0", "missing-package-version"),
    ],
)
async def test_an_analysis_learns_or_says_what_kept_it(
    runs: Runs, knowledge: MemoryKnowledge, package: str, version: str, message: str | None
) -> None:
    """Guarantee: a version with sources is analysed; one without, or one that is gone, leads to its message."""
    result = await runs.run(analysis(package, version))
    assert names(result.outgoing) == ([message] if message else [])
    assert (Where(package, version, URL) in knowledge.analysed) is (message is None)


async def test_what_has_no_sources_is_said_to_have_none(runs: Runs) -> None:
    """Guarantee: the value of the message is false."""
    (message,) = (await runs.run(analysis("torch", "1.11.0+cpu"))).outgoing
    assert message.fields["value"] is False


async def test_an_adviser_asks_for_what_it_lacks(
    runs: Runs, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Guarantee: one unresolved-package for each lacking package, for the project's environment; the advice waits."""
    request_store.place("adviser-1", FLASK)
    result = await runs.run(adviser("adviser-1"))
    asked = [(message.fields["package_name"], message.fields["package_version"]) for message in result.outgoing]
    assert asked == [("flask", None), ("jinja2", "3.1.2")]
    assert {message.fields["solver"] for message in result.outgoing} == {RHEL}
    assert knowledge.waiting == {"adviser-1": {"flask", "jinja2"}}


async def test_an_adviser_that_knows_enough_gives_advice(
    runs: Runs, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Guarantee: advice is given at the first try where all is known, and counted."""
    knowledge.solved |= {("flask", "2.1.3", URL, RHEL), ("jinja2", "3.1.2", URL, RHEL)}
    request_store.place("adviser-1", FLASK)
    result = await runs.run(adviser("adviser-1"))
    assert names(result.outgoing) == ["advise-justification"]
    assert not knowledge.waiting


async def test_the_last_solver_wakes_the_waiting_advice_once(
    runs: Runs, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Guarantee: however many solvers end at once, a waiting advice is asked for again by exactly one message."""
    request_store.place("adviser-1", FLASK)
    await runs.run(adviser("adviser-1"))
    solvers = [solver(RHEL, "flask", "2.1.3"), solver(RHEL, "jinja2", "3.1.2"), solver(RHEL, "flask", "2.0.3")]
    results = await asyncio.gather(*(runs.run(each) for each in solvers))
    sent = [message for result in results for message in result.outgoing]
    (trigger,) = [message for message in sent if message.short_name == "adviser-trigger"]
    assert trigger.fields["re_run_adviser_id"] == "adviser-1"
    await runs.run(adviser("adviser-2", re_run="adviser-1"))
    assert not knowledge.waiting


async def test_the_solver_of_an_older_release_asks_in_the_older_way(
    runs: Runs, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Guarantee: the other way to ask for an advice again is taken too, under the field's former name."""
    request_store.place(
        "adviser-1", AdviceRequest(FEDORA, (Need("click", "8.1.3", URL),), "KEBECHET", "https://github.com/a/b")
    )
    await runs.run(adviser("adviser-1"))
    knowledge.analysed.add(CLICK)
    result = await runs.run(solver(FEDORA, "click", "8.1.3"))
    assert names(result.outgoing) == ["solved-package", "adviser-re-run"]
    assert result.outgoing[1].fields["adviser_id"] == "adviser-1"


async def test_a_solver_for_another_environment_wakes_nobody(runs: Runs, request_store: RequestStore) -> None:
    """Guarantee: an advice waits for its own environment's solver."""
    request_store.place("adviser-1", AdviceRequest(FEDORA, (Need("click", "8.1.3", URL),)))
    await runs.run(adviser("adviser-1"))
    assert names((await runs.run(solver(RHEL, "click", "8.1.3"))).outgoing) == ["solved-package"]


async def test_an_advice_that_nobody_asked_for_fails(runs: Runs) -> None:
    """Guarantee: a workflow under a wrong id does not look like success."""
    with pytest.raises(LookupError, match="adviser-9"):
        await runs.run(adviser("adviser-9"))


@pytest.mark.parametrize(("solver_name", "concerned"), [("", 1), (RHEL, 1), (FEDORA, 0)])
async def test_projects_are_told_for_their_environment(runs: Runs, solver_name: str, concerned: int) -> None:
    """Guarantee: news of a solver concern projects in its environment; other news concern all that use the package."""
    result = await runs.run(administrator("thoth.cve-update.cve-provided", solver_name))
    assert names(result.outgoing) == ["kebechet-run-url-trigger"] * concerned


async def test_projects_learn_why(runs: Runs) -> None:
    """Guarantee: the metadata carry the number of the reason, the package, and no version where all are meant."""
    (message,) = (await runs.run(administrator("thoth.package-update.missing-package"))).outgoing
    about = {"package_name": "click", "package_version": None, "package_index": URL}
    assert message.fields["metadata"] == {"message_justification": 3, **about}


async def test_kebechet_asks_for_advice_for_its_repository(runs: Runs, request_store: RequestStore) -> None:
    """Guarantee: the advice is asked for under an id that leads to the repository's own request."""
    url = "https://github.com/thoth-station/thamos"
    request_store.place(url, FLASK)
    payload = json.dumps({"repository": {"full_name": "thoth-station/thamos", "html_url": url}})
    (message,) = (await runs.run(workflow("kebechet", "kebechet-job-1", WEBHOOK_PAYLOAD=payload))).outgoing
    assert message.fields["source_type"] == "KEBECHET"
    assert request_store.find(message.fields["job_id"]) == FLASK


async def test_a_reverse_solver_stores_what_depends_on_the_version(runs: Runs, knowledge: MemoryKnowledge) -> None:
    """Guarantee: dependents that are known are told, and none are made up."""
    version = {"THOTH_REVSOLVER_PACKAGE_NAME": "numpy", "THOTH_REVSOLVER_PACKAGE_VERSION": "1.22.4"}
    assert (await runs.run(workflow("revsolver", **version))).told == "nothing known depends on it"
    knowledge.solved.add(("tensorflow", "2.9.1", URL, RHEL))
    assert (await runs.run(workflow("revsolver", **version))).told.startswith("1 known")


@pytest.mark.parametrize(
    "kind",
    ["provenance-checker", "package-extract", "build-analysis", "kebechet-run-url", "thoth-repo-init", "graph-sync"],
)
async def test_the_other_workflows_just_succeed(runs: Runs, kind: str) -> None:
    """Guarantee: they end well and send nothing."""
    assert not (await runs.run(workflow(kind))).outgoing


async def test_a_workflow_without_its_parameters_fails(runs: Runs) -> None:
    """Guarantee: what investigator forgets to hand on shows as a failed workflow that names it."""
    with pytest.raises(LookupError, match="THOTH_SOLVER_NAME"):
        await runs.run(workflow("solver"))

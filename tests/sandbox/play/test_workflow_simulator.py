# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated workflows: what they store in the graph, and which messages they send."""

import asyncio
import json

import pytest

from sandbox.play.fixtures import FEDORA, RHEL, current_hashes
from sandbox.play.messages import Outgoing, PackageVersion
from sandbox.play.requests import AdviceRequest, PackageRequirement, RequestStore
from sandbox.play.workflow_simulator import WorkflowSimulator
from sandbox.workflow_store import CreatedWorkflow
from tests.sandbox.play.fake_knowledge import URL, MemoryKnowledge, workflow

CLICK = PackageVersion("click", "8.1.3", URL)
FLASK = AdviceRequest(RHEL, (PackageRequirement("flask", None, URL), PackageRequirement("jinja2", "3.1.2", URL)))


@pytest.fixture
def knowledge() -> MemoryKnowledge:
    """An empty graph."""
    return MemoryKnowledge()


@pytest.fixture
def request_store() -> RequestStore:
    """A store without requests."""
    return RequestStore()


@pytest.fixture
def simulator(knowledge: MemoryKnowledge, request_store: RequestStore) -> WorkflowSimulator:
    """A simulator that has not run a workflow yet."""
    return WorkflowSimulator(knowledge, request_store)


def solver(name: str, package: str, version: str) -> CreatedWorkflow:
    """Return a solver workflow."""
    parameters = {"THOTH_SOLVER_NAME": name, "THOTH_SOLVER_PACKAGES": f"{package}==={version}"}
    return workflow("solver", f"{name}-1", **parameters, THOTH_SOLVER_INDEXES=URL)


def analysis(package: str, version: str) -> CreatedWorkflow:
    """Return a workflow that analyses the security of a version."""
    prefix = "THOTH_SECURITY_INDICATORS_PACKAGE"
    parameters = {f"{prefix}_NAME": package, f"{prefix}_VERSION": version, f"{prefix}_INDEX": URL}
    return workflow("security-indicator", **parameters)


def adviser(job: str, re_run: str | None = None) -> CreatedWorkflow:
    """Return an adviser workflow."""
    return workflow("adviser", job, THOTH_ADVISER_METADATA=json.dumps({"re_run_adviser_id": re_run}))


def administrator(message_type: str, solver_name: str = "", version: str = "") -> CreatedWorkflow:
    """Return a workflow that looks for the projects that use click."""
    package = {"THOTH_PACKAGE_NAME": "click", "THOTH_PACKAGE_VERSION": version, "THOTH_PACKAGE_INDEX": URL}
    cause = {"THOTH_SOLVER_NAME": solver_name, "THOTH_MESSAGE_TYPE": message_type}
    return workflow("kebechet-administrator", **package, **cause)


def names(outgoing: tuple[Outgoing, ...]) -> list[str]:
    """Return the short names of messages."""
    return [message.short_name for message in outgoing]


async def test_a_solver_stores_its_result_and_sends_solved_package(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge
) -> None:
    """The graph has version, solver and hashes before the message is sent."""
    result = await simulator.run(solver(RHEL, "click", "8.1.3"))
    assert knowledge.solved == {("click", "8.1.3", URL, RHEL)}
    assert knowledge.hashes == {CLICK: current_hashes("click", "8.1.3")}
    assert [message.fields for message in result.outgoing] == [{**CLICK.fields, "solver": RHEL}]


async def test_the_solver_for_fedora_waits_for_the_analysis(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge
) -> None:
    """So the graph has the analysis when the solver's message is handled, whichever solver is faster."""
    waiting = asyncio.ensure_future(simulator.run(solver(FEDORA, "click", "8.1.3")))
    await asyncio.wait([waiting], timeout=0.01)
    assert not waiting.done()
    await simulator.run(analysis("click", "8.1.3"))
    assert names((await waiting).outgoing) == ["solved-package"]
    assert CLICK in knowledge.analysed


async def test_the_solver_for_fedora_continues_after_its_timeout(
    knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Without an analysis, the solver would otherwise never end."""
    result = await WorkflowSimulator(knowledge, request_store, analysis_timeout=0.01).run(
        solver(FEDORA, "click", "8.1.3")
    )
    assert names(result.outgoing) == ["solved-package"]


async def test_the_solver_for_fedora_does_not_wait_for_an_analysis_that_the_graph_has(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge
) -> None:
    """This is so for a version that is solved again."""
    knowledge.analysed.add(CLICK)
    assert names((await simulator.run(solver(FEDORA, "click", "8.1.3"))).outgoing) == ["solved-package"]


@pytest.mark.parametrize(
    ("package", "version", "message"),
    [
        ("click", "8.1.3", None),
        ("tensorflow", "2.9.1", "update-provides-source-distro"),
        ("atomicwrites", "1.4.0", "missing-package-version"),
    ],
)
async def test_an_analysis_is_stored_or_its_obstacle_is_sent(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge, package: str, version: str, message: str | None
) -> None:
    """The obstacles are a version without source distribution, and a version that the index no longer has."""
    result = await simulator.run(analysis(package, version))
    assert names(result.outgoing) == ([message] if message else [])
    assert (PackageVersion(package, version, URL) in knowledge.analysed) is (message is None)


async def test_a_version_without_sources_is_reported_with_the_value_false(simulator: WorkflowSimulator) -> None:
    """The value of the message says whether there is a source distribution."""
    (message,) = (await simulator.run(analysis("torch", "1.11.0+cpu"))).outgoing
    assert message.fields["value"] is False


async def test_an_adviser_reports_each_package_that_it_lacks_and_waits(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """It sends one unresolved-package message for each package, with the solver for the project's environment."""
    request_store.put("adviser-1", FLASK)
    result = await simulator.run(adviser("adviser-1"))
    unresolved = [(message.fields["package_name"], message.fields["package_version"]) for message in result.outgoing]
    assert unresolved == [("flask", None), ("jinja2", "3.1.2")]
    assert {message.fields["solver"] for message in result.outgoing} == {RHEL}
    assert knowledge.waiting == {"adviser-1": {"flask", "jinja2"}}


async def test_an_adviser_that_lacks_nothing_sends_its_justification(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Then the run does not wait."""
    knowledge.solved |= {("flask", "2.1.3", URL, RHEL), ("jinja2", "3.1.2", URL, RHEL)}
    request_store.put("adviser-1", FLASK)
    result = await simulator.run(adviser("adviser-1"))
    assert names(result.outgoing) == ["advise-justification"]
    assert not knowledge.waiting


async def test_parallel_solvers_request_the_re_run_of_a_waiting_adviser_once(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """The re-run then succeeds, and no adviser run waits."""
    request_store.put("adviser-1", FLASK)
    await simulator.run(adviser("adviser-1"))
    solvers = [solver(RHEL, "flask", "2.1.3"), solver(RHEL, "jinja2", "3.1.2"), solver(RHEL, "flask", "2.0.3")]
    results = await asyncio.gather(*(simulator.run(each) for each in solvers))
    sent = [message for result in results for message in result.outgoing]
    (trigger,) = [message for message in sent if message.short_name == "adviser-trigger"]
    assert trigger.fields["re_run_adviser_id"] == "adviser-1"
    await simulator.run(adviser("adviser-2", re_run="adviser-1"))
    assert not knowledge.waiting


async def test_the_solver_for_fedora_requests_a_re_run_by_adviser_re_run(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge, request_store: RequestStore
) -> None:
    """Older producers do so, with the former name of the field; both ways occur in the scenarios."""
    request_store.put(
        "adviser-1",
        AdviceRequest(FEDORA, (PackageRequirement("click", "8.1.3", URL),), "KEBECHET", "https://github.com/a/b"),
    )
    await simulator.run(adviser("adviser-1"))
    knowledge.analysed.add(CLICK)
    result = await simulator.run(solver(FEDORA, "click", "8.1.3"))
    assert names(result.outgoing) == ["solved-package", "adviser-re-run"]
    assert result.outgoing[1].fields["adviser_id"] == "adviser-1"


async def test_a_solver_for_another_environment_requests_no_re_run(
    simulator: WorkflowSimulator, request_store: RequestStore
) -> None:
    """An adviser waits for the solver of its own environment."""
    request_store.put("adviser-1", AdviceRequest(FEDORA, (PackageRequirement("click", "8.1.3", URL),)))
    await simulator.run(adviser("adviser-1"))
    assert names((await simulator.run(solver(RHEL, "click", "8.1.3"))).outgoing) == ["solved-package"]


async def test_an_adviser_without_a_request_fails(simulator: WorkflowSimulator) -> None:
    """So a workflow with a wrong id does not succeed."""
    with pytest.raises(LookupError, match="adviser-9"):
        await simulator.run(adviser("adviser-9"))


@pytest.mark.parametrize(("solver_name", "affected"), [("", 1), (RHEL, 1), (FEDORA, 0)])
async def test_a_solver_affects_only_projects_in_its_environment(
    simulator: WorkflowSimulator, solver_name: str, affected: int
) -> None:
    """Without a solver, every project that uses the package is affected."""
    result = await simulator.run(administrator("thoth.cve-update.cve-provided", solver_name))
    assert names(result.outgoing) == ["kebechet-run-url-trigger"] * affected


async def test_kebechet_receives_the_reason_for_its_run(simulator: WorkflowSimulator) -> None:
    """The metadata have the number of the reason and the package; the version None means every version."""
    (message,) = (await simulator.run(administrator("thoth.package-update.missing-package"))).outgoing
    package = {"package_name": "click", "package_version": None, "package_index": URL}
    assert message.fields["metadata"] == {"message_justification": 3, **package}


async def test_kebechet_requests_advice_for_its_repository(
    simulator: WorkflowSimulator, request_store: RequestStore
) -> None:
    """The request for the repository is stored under the job id in the message."""
    url = "https://github.com/thoth-station/thamos"
    request_store.put(url, FLASK)
    payload = json.dumps({"repository": {"full_name": "thoth-station/thamos", "html_url": url}})
    (message,) = (await simulator.run(workflow("kebechet", "kebechet-job-1", WEBHOOK_PAYLOAD=payload))).outgoing
    assert message.fields["source_type"] == "KEBECHET"
    assert request_store.find(message.fields["job_id"]) == FLASK


async def test_a_revsolver_reports_the_number_of_solved_dependents(
    simulator: WorkflowSimulator, knowledge: MemoryKnowledge
) -> None:
    """Only versions that the graph has as solved count."""
    version = {"THOTH_REVSOLVER_PACKAGE_NAME": "numpy", "THOTH_REVSOLVER_PACKAGE_VERSION": "1.22.4"}
    assert (await simulator.run(workflow("revsolver", **version))).summary == "no solved version depends on it"
    knowledge.solved.add(("tensorflow", "2.9.1", URL, RHEL))
    assert (await simulator.run(workflow("revsolver", **version))).summary.endswith("stored in the graph: 1")


@pytest.mark.parametrize(
    "kind",
    ["provenance-checker", "package-extract", "build-analysis", "kebechet-run-url", "thoth-repo-init", "graph-sync"],
)
async def test_workflows_of_other_kinds_succeed_and_send_nothing(simulator: WorkflowSimulator, kind: str) -> None:
    """Their results do not cause messages in the scenarios."""
    assert not (await simulator.run(workflow(kind))).outgoing


async def test_a_workflow_without_a_required_parameter_fails(simulator: WorkflowSimulator) -> None:
    """The error names the parameter that investigator did not pass."""
    with pytest.raises(LookupError, match="THOTH_SOLVER_NAME"):
        await simulator.run(workflow("solver"))

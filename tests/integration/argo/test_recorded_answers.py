# SPDX-License-Identifier: GPL-3.0-or-later
"""What each answer of a cluster means for the message, with the answers that real clusters send."""

import pytest

from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.argo.answers import api_answer
from investigator.argo.api_errors import ApiError
from investigator.argo.scheduler import WorkflowScheduler
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.resilience.answers import Meaning, find_row
from investigator.resilience.breaker_group import BreakerGroup
from sandbox.cluster import ClusterStandIn
from sandbox.faults import Fault
from sandbox.recorded import CLUSTER, GATEWAYS, RecordedAnswer
from tests.integration.argo.scheduling import CREATE, Make, schedule
from tests.support.impatient_breakers import impatient_breakers

ROWS = {row.name: row for row in CLUSTER_ANSWERS}
ERRORS = {
    Meaning.PERMANENT: PermanentError,
    Meaning.TEMPORARY: TemporaryError,
    Meaning.UNAVAILABLE: UnavailableError,
}
RECORDED = [answer for answer in (*CLUSTER, *GATEWAYS) if ROWS[answer.row].meaning in ERRORS]
OF_QUOTAS = [answer for answer in CLUSTER if ROWS[answer.row].meaning is Meaning.WAIT_FOR_ROOM]
# The API may have created the workflow, whatever it says.
DOUBTFUL = [answer for answer in RECORDED if answer.code // 100 == 2 or answer.code == 409]
JOB_ID = "adviser-210601000000-4a0aff399024bd3d"  # the name in the recorded answers
PATHS = {"POST": CREATE, "GET": "*/templates"}


@pytest.fixture
def breaker() -> BreakerGroup:
    """Breakers whose calls raise what a dependency answers during an outage."""
    return impatient_breakers("cluster")


def _name(answer: RecordedAnswer) -> str:
    return answer.name


async def _refused(scheduler: WorkflowScheduler) -> Exception:
    with pytest.raises((PermanentError, TemporaryError)) as caught:
        await schedule(scheduler, "adviser", job_id=JOB_ID)
    return caught.value


@pytest.mark.parametrize("answer", RECORDED, ids=_name)
async def test_each_recorded_answer_has_the_meaning_of_its_row(
    answer: RecordedAnswer, make: Make, cluster: ClusterStandIn
) -> None:
    """The error has the class of the meaning, and names the cause and the answer."""
    fault = Fault(effect="answer", answer=answer.name, method=answer.method, path=PATHS[answer.method])
    cluster.faults.set(fault)
    error = await _refused(make(max_attempts=1))
    row = ROWS[answer.row]
    assert isinstance(error.__cause__, ApiError)
    assert find_row(CLUSTER_ANSWERS, api_answer(error.__cause__)) == row
    assert type(error) is ERRORS[row.meaning]
    assert str(error).startswith(f"{row.cause}: {answer.method} http")
    assert str(answer.code) in str(error)
    assert cluster.created == []


@pytest.mark.parametrize("answer", OF_QUOTAS, ids=_name)
async def test_a_refusal_by_a_quota_is_no_error(answer: RecordedAnswer, make: Make, cluster: ClusterStandIn) -> None:
    """The creation waits for room, and is repeated."""
    cluster.faults.set(Fault(effect="answer", answer=answer.name, method=answer.method, path=CREATE, count=1))
    await schedule(make(max_attempts=1), "adviser", job_id=JOB_ID)
    assert [workflow.name for workflow in cluster.created] == [JOB_ID]


async def test_a_workflow_that_exists_is_done(make: Make, cluster: ClusterStandIn) -> None:
    """The recorded refusal of its name counts as success, after one request that shows the workflow."""
    await schedule(make(), "adviser", job_id=JOB_ID)
    cluster.request_log.clear()
    cluster.faults.set(Fault(effect="answer", answer="workflow exists", method="POST", path=CREATE))
    await schedule(make(), "adviser", job_id=JOB_ID)
    assert cluster.request_log.statuses(path="*/workflows*") == {409: 1, 200: 1}


@pytest.mark.parametrize("answer", DOUBTFUL, ids=_name)
async def test_a_workflow_behind_a_doubtful_answer_is_found(
    answer: RecordedAnswer, make: Make, cluster: ClusterStandIn
) -> None:
    """The worker looks it up by its name, and requests no second one."""
    cluster.faults.set(Fault(effect="disguise", answer=answer.name, method="POST", path=CREATE))
    await schedule(make(), "adviser", job_id=JOB_ID)
    assert [workflow.name for workflow in cluster.created] == [JOB_ID]
    assert len(cluster.request_log.find("POST", CREATE)) == 1


@pytest.mark.parametrize("answer", DOUBTFUL, ids=_name)
async def test_a_doubtful_answer_without_a_workflow_is_no_success(
    answer: RecordedAnswer, make: Make, cluster: ClusterStandIn
) -> None:
    """The worker requests the workflow again; nothing is lost behind a gateway that says success."""
    cluster.faults.set(Fault(effect="answer", answer=answer.name, method="POST", path=CREATE, count=1))
    await schedule(make(), "adviser", job_id=JOB_ID)
    assert [workflow.name for workflow in cluster.created] == [JOB_ID]
    assert cluster.request_log.statuses("GET", f"*/workflows/{JOB_ID}") == {404: 1}


@pytest.mark.parametrize("lookup", ["permission to create", "page of a login", "API not available", "another workflow"])
async def test_a_failed_look_up_is_no_success(lookup: str, make: Make, cluster: ClusterStandIn) -> None:
    """Without an answer that shows the workflow, the creation is repeated, and finds it."""
    cluster.faults.set(
        Fault(effect="disguise", answer="empty success", method="POST", path=CREATE, count=1),
        Fault(effect="answer", answer=lookup, method="GET", path="*/workflows/*", count=1),
    )
    await schedule(make(), "adviser", job_id=JOB_ID)
    assert cluster.request_log.statuses("POST", CREATE) == {201: 1, 409: 1}
    assert len(cluster.created) == 1


READS = ("*/configmaps/solvers", "*/templates", "*/processedtemplates")
ODD = ["page of a login", "success that is a failure", "empty success", "success cut off", "another kind"]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("answer", ODD)
async def test_a_read_is_believed_only_if_the_answer_is_of_the_right_kind(
    path: str, answer: str, make: Make, cluster: ClusterStandIn
) -> None:
    """An odd answer is no empty list, and no template without a workflow."""
    scheduler = make(max_attempts=1)
    cluster.faults.set(Fault(effect="answer", answer=answer, path=path))
    with pytest.raises(TemporaryError, match=r"shows no (ConfigMap|List|Template)"):
        await (scheduler.solver_names() if "solvers" in path else schedule(scheduler, "adviser"))
    cluster.faults.clear()
    await schedule(scheduler, "adviser")
    assert len(cluster.created) == 1


async def test_a_list_of_solvers_that_is_empty_for_a_moment_is_an_outage(make: Make, cluster: ClusterStandIn) -> None:
    """A ConfigMap that is being replaced does not mean that there is nothing to do."""
    solvers, cluster.solvers = cluster.solvers, [" "]
    scheduler = make(max_attempts=1)
    with pytest.raises(UnavailableError, match="lists no solver"):
        await scheduler.solver_names()
    cluster.solvers = solvers
    assert await scheduler.solver_names() == solvers


@pytest.mark.parametrize("number", [0, 2])
async def test_a_missing_or_ambiguous_template_is_an_outage(number: int, make: Make, cluster: ClusterStandIn) -> None:
    """It concerns every message of the kind, and ends when the deployment is complete."""
    templates = cluster.templates
    others = [each for each in templates if each["metadata"]["labels"]["template"] != "adviser"]
    cluster.templates = others + [each for each in templates if each not in others] * number
    scheduler = make(max_attempts=1)
    with pytest.raises(UnavailableError, match=f"there are {number} templates with label template=adviser"):
        await schedule(scheduler, "adviser")
    cluster.templates = templates
    await schedule(scheduler, "adviser")

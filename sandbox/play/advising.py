# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which a user or bot waits for a result: self-healing of advice, and users and bots."""

from sandbox.play import messages
from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected
from sandbox.play.fixtures import FEDORA, PROJECTS, RHEL, Release
from sandbox.play.requests import AdviceRequest, PackageRequirement
from sandbox.play.scenario import (
    ADVISE_JUSTIFICATION,
    ADVISER_RE_RUN,
    ADVISER_TRIGGER,
    CVE_PROVIDED,
    KEBECHET_ADMINISTRATOR,
    KEBECHET_RUN_URL_TRIGGER,
    NUMPY,
    REQUESTS,
    SECURITY_INDICATOR,
    SOLVED_PACKAGE,
    UNRESOLVED_PACKAGE,
    Scenario,
)

__all__ = ["PASSWORDS", "SELF_HEALING", "USERS_AND_BOTS"]

THAMOS, METRICS_EXPORTER, TUTORIAL = PROJECTS

#: The registry passwords in the messages; no log may contain them.
PASSWORDS = ("pull-Secret-of-the-scenarios", "push-Secret-of-the-scenarios")


async def _request_advice_twice(context: ScenarioContext) -> None:
    url = context.index_url()
    flask = (PackageRequirement("flask", None, url), PackageRequirement("jinja2", "3.1.2", url))
    werkzeug = (PackageRequirement("werkzeug", "2.1.2", url),)
    await _request_advice(context, 3, AdviceRequest(RHEL, flask))
    await _request_advice(context, 3, AdviceRequest(FEDORA, werkzeug, "KEBECHET", METRICS_EXPORTER.url))


async def _request_advice(context: ScenarioContext, scenario: int, request: AdviceRequest) -> None:
    job = context.new_job("adviser")
    context.request_store.put(job, request)
    source, origin = request.source_type, request.origin
    message = messages.adviser_trigger("user-api", job_id=job, source_type=source, origin=origin)
    await context.send_first(scenario, message)


def _expected_healing(_: ScenarioContext) -> Expected:
    return Expected(
        # Each of the two solvers solves two versions of flask, one of jinja2 and one of werkzeug; all are new to the
        # graph. One solver requests the re-run by adviser-trigger; the other, of an older release, by adviser-re-run.
        messages={
            ADVISER_TRIGGER: 3,
            UNRESOLVED_PACKAGE: 3,
            SOLVED_PACKAGE: 8,
            ADVISER_RE_RUN: 1,
            ADVISE_JUSTIFICATION: 2,
            KEBECHET_RUN_URL_TRIGGER: 2,
        },
        workflows={
            (ADVISER_TRIGGER, "adviser"): 3,
            (UNRESOLVED_PACKAGE, "solver"): 8,
            (SOLVED_PACKAGE, KEBECHET_ADMINISTRATOR): 8,
            (SOLVED_PACKAGE, SECURITY_INDICATOR): 4,
            (ADVISER_RE_RUN, "adviser"): 1,
            (KEBECHET_RUN_URL_TRIGGER, "kebechet-run-url"): 2,
        },
    )


async def _waiting_runs(context: ScenarioContext) -> list[str]:
    return [f"{job} still waits for a solver" for job in await context.knowledge.waiting_adviser_runs()]


async def _request_jobs(context: ScenarioContext) -> None:
    image = "quay.io/thoth-station/s2i-thoth-ubi8-py38"
    repository = {"full_name": TUTORIAL.slug, "html_url": TUTORIAL.url}
    payload = {"action": "closed", "installation": {"id": 1}, "repository": repository}
    pull, push = PASSWORDS
    numpy = (_requirement(context, NUMPY),)
    context.request_store.put(TUTORIAL.url, AdviceRequest(RHEL, numpy, "KEBECHET", TUTORIAL.url))
    await _request_advice(context, 4, AdviceRequest(RHEL, (_requirement(context, REQUESTS),)))
    for message in (
        messages.provenance_checker_trigger(context.new_job("provenance-checker"), THAMOS.url, [context.index_url()]),
        messages.package_extract_trigger(image, context.new_job("package-extract"), user="reader", password=pull),
        messages.build_analysis_trigger(context.new_job("build-analysis"), image, f"{image}:built", push),
        messages.inspection_completed(context.new_job("inspection")),
        messages.repo_init(METRICS_EXPORTER.url, context.new_job("thoth-repo-init")),
        messages.kebechet_trigger(payload),
        messages.kebechet_run_url_trigger("user-api", THAMOS.url, job_id=context.new_job("kebechet-run-url")),
        messages.cve_provided(context.package_version(REQUESTS)),
    ):
        await context.send_first(4, message)


def _requirement(context: ScenarioContext, release: Release) -> PackageRequirement:
    return PackageRequirement(release.name, release.version, context.index_url(release.index))


def _expected_jobs(_: ScenarioContext) -> Expected:
    single = {
        "thoth.provenance-checker-trigger": "provenance-checker",
        "thoth.package-extract-trigger": "package-extract",
        "thoth.build-analysis-trigger": "build-analysis",
        "thoth.inspection-completed": "graph-sync",
        "thoth.repo-init": "thoth-repo-init",
        "thoth.kebechet-trigger": "kebechet",
        CVE_PROVIDED: KEBECHET_ADMINISTRATOR,
    }
    # A user requests one adviser run and Kebechet the other. A user requests one run of Kebechet on a repository's URL;
    # the Kebechet administrator requests the other.
    double = {(ADVISER_TRIGGER, "adviser"): 2, (KEBECHET_RUN_URL_TRIGGER, "kebechet-run-url"): 2}
    return Expected(
        messages={**dict.fromkeys(single, 1), ADVISER_TRIGGER: 2, KEBECHET_RUN_URL_TRIGGER: 2, ADVISE_JUSTIFICATION: 2},
        workflows={**dict.fromkeys(single.items(), 1), **double},
    )


async def _unfinished_jobs(context: ScenarioContext) -> list[str]:
    requested = (sent.message.fields.get("job_id") for sent in context.event_log.messages(4))
    jobs = {str(job) for job in requested if job}
    succeeded = {name for name, phase in context.phases().items() if phase == "Succeeded"}
    return [f"no workflow {job} has succeeded" for job in sorted(jobs - succeeded)]


SELF_HEALING = Scenario(
    number=3,
    title="Self-healing of advice",
    outcome="both advisers that lacked knowledge succeeded in their re-runs, and no adviser run waits",
    start=_request_advice_twice,
    expected=_expected_healing,
    open_items=_waiting_runs,
)

USERS_AND_BOTS = Scenario(
    number=4,
    title="Users and bots",
    outcome="every requested job succeeded, under the job id that user-api returned",
    start=_request_jobs,
    expected=_expected_jobs,
    open_items=_unfinished_jobs,
)

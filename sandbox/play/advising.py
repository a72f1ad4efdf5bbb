# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which somebody waits for an answer: self-healing of advice, and users and bots."""

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

#: What users send along to registries; no log may show it.
PASSWORDS = ("pull-Secret-of-the-story", "push-Secret-of-the-story")


async def _ask_for_advice(context: ScenarioContext) -> None:
    url = context.index_url()
    flask = (PackageRequirement("flask", None, url), PackageRequirement("jinja2", "3.1.2", url))
    werkzeug = (PackageRequirement("werkzeug", "2.1.2", url),)
    await _ask(context, 3, AdviceRequest(RHEL, flask))
    await _ask(context, 3, AdviceRequest(FEDORA, werkzeug, "KEBECHET", METRICS_EXPORTER.url))


async def _ask(context: ScenarioContext, scenario: int, request: AdviceRequest) -> None:
    job = context.new_job("adviser")
    context.request_store.place(job, request)
    source, origin = request.source_type, request.origin
    await context.act(scenario, messages.adviser_trigger("user-api", job_id=job, source_type=source, origin=origin))


def _expected_of_healing(_: ScenarioContext) -> Expected:
    return Expected(
        # Both solvers solve two versions of flask and one each of jinja2 and werkzeug, none of which was known. One
        # solver's release asks for the advice again by adviser-trigger, the older one's by adviser-re-run.
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


async def _still_waiting(context: ScenarioContext) -> list[str]:
    return [f"{job} waits for knowledge" for job in await context.knowledge.waiting_advices()]


async def _serve(context: ScenarioContext) -> None:
    image = "quay.io/thoth-station/s2i-thoth-ubi8-py38"
    repository = {"full_name": TUTORIAL.slug, "html_url": TUTORIAL.url}
    payload = {"action": "closed", "installation": {"id": 1}, "repository": repository}
    pull, push = PASSWORDS
    context.request_store.place(TUTORIAL.url, AdviceRequest(RHEL, (_need(context, NUMPY),), "KEBECHET", TUTORIAL.url))
    await _ask(context, 4, AdviceRequest(RHEL, (_need(context, REQUESTS),)))
    for message in (
        messages.provenance_checker_trigger(context.new_job("provenance-checker"), THAMOS.url, [context.index_url()]),
        messages.package_extract_trigger(image, context.new_job("package-extract"), user="reader", password=pull),
        messages.build_analysis_trigger(context.new_job("build-analysis"), image, f"{image}:built", push),
        messages.inspection_completed(context.new_job("inspection")),
        messages.repo_init(METRICS_EXPORTER.url, context.new_job("thoth-repo-init")),
        messages.kebechet_trigger(payload),
        messages.kebechet_run_url_trigger("user-api", THAMOS.url, job_id=context.new_job("kebechet-run-url")),
        messages.cve_provided(context.where(REQUESTS)),
    ):
        await context.act(4, message)


def _need(context: ScenarioContext, release: Release) -> PackageRequirement:
    return PackageRequirement(release.name, release.version, context.index_url(release.index))


def _expected_of_service(_: ScenarioContext) -> Expected:
    alone = {
        "thoth.provenance-checker-trigger": "provenance-checker",
        "thoth.package-extract-trigger": "package-extract",
        "thoth.build-analysis-trigger": "build-analysis",
        "thoth.inspection-completed": "graph-sync",
        "thoth.repo-init": "thoth-repo-init",
        "thoth.kebechet-trigger": "kebechet",
        CVE_PROVIDED: KEBECHET_ADMINISTRATOR,
    }
    # The other advice is what Kebechet asks for; the other run of Kebechet is what its administrator asks for.
    both = {(ADVISER_TRIGGER, "adviser"): 2, (KEBECHET_RUN_URL_TRIGGER, "kebechet-run-url"): 2}
    return Expected(
        messages={**dict.fromkeys(alone, 1), ADVISER_TRIGGER: 2, KEBECHET_RUN_URL_TRIGGER: 2, ADVISE_JUSTIFICATION: 2},
        workflows={**dict.fromkeys(alone.items(), 1), **both},
    )


async def _unserved(context: ScenarioContext) -> list[str]:
    asked = (sent.message.fields.get("job_id") for sent in context.event_log.messages(4))
    wanted = {str(job) for job in asked if job}
    served = {name for name, phase in context.phases().items() if phase == "Succeeded"}
    return [f"nothing has run under the id {job}" for job in sorted(wanted - served)]


SELF_HEALING = Scenario(
    number=3,
    title="Self-healing of advice",
    closes="both advices that lacked knowledge were given at the second try, and none waits",
    begin=_ask_for_advice,
    expected=_expected_of_healing,
    still_open=_still_waiting,
)

USERS_AND_BOTS = Scenario(
    number=4,
    title="Users and bots",
    closes="every job that was asked for has ended well, under the id that the user was told",
    begin=_serve,
    expected=_expected_of_service,
    still_open=_unserved,
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in which somebody waits for an answer: self-healing of advice, and users and bots."""

from sandbox.play import messages
from sandbox.play.context import ScenarioContext
from sandbox.play.expectations import Expected
from sandbox.play.fixtures import FEDORA, PROJECTS, RHEL, Release
from sandbox.play.requests import AdviceRequest, Need
from sandbox.play.scenario import (
    ADMINISTRATOR,
    ADVISE,
    CVE,
    JUSTIFICATION,
    NUMPY,
    RE_RUN,
    REQUESTS,
    RUN_URL,
    SECURITY,
    SOLVED,
    UNRESOLVED,
    Scenario,
)

__all__ = ["PASSWORDS", "SELF_HEALING", "USERS_AND_BOTS"]

THAMOS, METRICS_EXPORTER, TUTORIAL = PROJECTS

#: What users send along to registries; no log may show it.
PASSWORDS = ("pull-Secret-of-the-story", "push-Secret-of-the-story")


async def _ask_for_advice(world: ScenarioContext) -> None:
    url = world.index_url()
    flask = (Need("flask", None, url), Need("jinja2", "3.1.2", url))
    werkzeug = (Need("werkzeug", "2.1.2", url),)
    await _ask(world, 3, AdviceRequest(RHEL, flask))
    await _ask(world, 3, AdviceRequest(FEDORA, werkzeug, "KEBECHET", METRICS_EXPORTER.url))


async def _ask(world: ScenarioContext, scenario: int, request: AdviceRequest) -> None:
    job = world.new_job("adviser")
    world.request_store.place(job, request)
    source, origin = request.source_type, request.origin
    await world.act(scenario, messages.adviser_trigger("user-api", job_id=job, source_type=source, origin=origin))


def _expected_of_healing(_: ScenarioContext) -> Expected:
    return Expected(
        # Both solvers solve two versions of flask and one each of jinja2 and werkzeug, none of which was known. One
        # solver's release asks for the advice again by adviser-trigger, the older one's by adviser-re-run.
        messages={ADVISE: 3, UNRESOLVED: 3, SOLVED: 8, RE_RUN: 1, JUSTIFICATION: 2, RUN_URL: 2},
        workflows={
            (ADVISE, "adviser"): 3,
            (UNRESOLVED, "solver"): 8,
            (SOLVED, ADMINISTRATOR): 8,
            (SOLVED, SECURITY): 4,
            (RE_RUN, "adviser"): 1,
            (RUN_URL, "kebechet-run-url"): 2,
        },
    )


async def _still_waiting(world: ScenarioContext) -> list[str]:
    return [f"{job} waits for knowledge" for job in await world.knowledge.waiting_advices()]


async def _serve(world: ScenarioContext) -> None:
    image = "quay.io/thoth-station/s2i-thoth-ubi8-py38"
    repository = {"full_name": TUTORIAL.slug, "html_url": TUTORIAL.url}
    payload = {"action": "closed", "installation": {"id": 1}, "repository": repository}
    pull, push = PASSWORDS
    world.request_store.place(TUTORIAL.url, AdviceRequest(RHEL, (_need(world, NUMPY),), "KEBECHET", TUTORIAL.url))
    await _ask(world, 4, AdviceRequest(RHEL, (_need(world, REQUESTS),)))
    for message in (
        messages.provenance_checker_trigger(world.new_job("provenance-checker"), THAMOS.url, [world.index_url()]),
        messages.package_extract_trigger(image, world.new_job("package-extract"), user="reader", password=pull),
        messages.build_analysis_trigger(world.new_job("build-analysis"), image, f"{image}:built", push),
        messages.inspection_completed(world.new_job("inspection")),
        messages.repo_init(METRICS_EXPORTER.url, world.new_job("thoth-repo-init")),
        messages.kebechet_trigger(payload),
        messages.kebechet_run_url_trigger("user-api", THAMOS.url, job_id=world.new_job("kebechet-run-url")),
        messages.cve_provided(world.where(REQUESTS)),
    ):
        await world.act(4, message)


def _need(world: ScenarioContext, release: Release) -> Need:
    return Need(release.name, release.version, world.index_url(release.index))


def _expected_of_service(_: ScenarioContext) -> Expected:
    alone = {
        "thoth.provenance-checker-trigger": "provenance-checker",
        "thoth.package-extract-trigger": "package-extract",
        "thoth.build-analysis-trigger": "build-analysis",
        "thoth.inspection-completed": "graph-sync",
        "thoth.repo-init": "thoth-repo-init",
        "thoth.kebechet-trigger": "kebechet",
        CVE: ADMINISTRATOR,
    }
    # The other advice is what Kebechet asks for; the other run of Kebechet is what its administrator asks for.
    both = {(ADVISE, "adviser"): 2, (RUN_URL, "kebechet-run-url"): 2}
    return Expected(
        messages={**dict.fromkeys(alone, 1), ADVISE: 2, RUN_URL: 2, JUSTIFICATION: 2},
        workflows={**dict.fromkeys(alone.items(), 1), **both},
    )


async def _unserved(world: ScenarioContext) -> list[str]:
    asked = (sent.message.fields.get("job_id") for sent in world.event_log.messages(4))
    wanted = {str(job) for job in asked if job}
    served = {name for name, phase in world.phases().items() if phase == "Succeeded"}
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

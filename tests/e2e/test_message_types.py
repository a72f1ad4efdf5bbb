# SPDX-License-Identifier: GPL-3.0-or-later
"""Valid messages of each type have the effects of the contract, in each mode alone and in several modes together."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from sandbox.broker import Broker
from sandbox.environment import Sandbox
from sandbox.postgres import PostgresServer
from sandbox.worker import Worker
from sandbox.workflow_store import CreatedWorkflow
from tests.e2e.case import Case, Change, Wanted
from tests.e2e.cases import cases
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until
from tests.support.running_workers import empty_sandbox
from tests.support.worker_http import Scrape, metric

MODES: dict[str, tuple[str, ...]] = {
    "middletier": ("middletier",),
    "backend": ("backend",),
    "metrics": ("metrics",),
    "middletier and backend": ("middletier", "backend"),
    "all": ("middletier", "backend", "metrics"),
}
# Only names, modes and types of these are used; the messages that are sent have the URL of a real index.
CASES = cases("https://example.com/simple")
CHANGING = [name for name, case in CASES.items() if any(effects.change for effects in case.effects.values())]
TYPES = sorted({case.base_name for case in CASES.values()})
ANNOTATION_PREFIX = "investigator.thoth-station.ninja"
PREFIXES = {"kebechet": "kebechet-job"}


def _has_work(base_name: str, modes: Sequence[str]) -> bool:
    of_type = [case for case in CASES.values() if case.base_name == base_name]
    return "metrics" in modes or any(mode in case.effects for case in of_type for mode in modes)


@dataclass(frozen=True)
class Served:
    """A worker with some modes, after it has handled all messages."""

    modes: Sequence[str]
    sandbox: Sandbox
    worker: Worker
    cases: dict[str, Case]
    offsets: dict[str, int]
    scrape: Scrape

    def is_consumed(self, base_name: str) -> bool:
        """Return whether a worker with these modes consumes the topic of the type."""
        return _has_work(base_name, self.modes)

    def wanted(self, case: Case) -> list[Wanted]:
        """Return the workflows that a message should lead to in these modes."""
        return [wanted for mode in self.modes if mode in case.effects for wanted in case.effects[mode].workflows]

    def workflows(self, name: str) -> list[CreatedWorkflow]:
        """Return the workflows that were created for a message, in the order of their creation."""
        topic = self.sandbox.topic(self.cases[name].base_name)
        position = (topic, "0", str(self.offsets[name]))
        return [
            workflow
            for workflow in self.sandbox.cluster.created
            if tuple(workflow.annotations[f"{ANNOTATION_PREFIX}/{part}"] for part in ("topic", "partition", "offset"))
            == position
        ]


@pytest.fixture(scope="module", params=list(MODES))
def served(
    request: pytest.FixtureRequest,
    broker: Broker,
    postgres: PostgresServer,
    kafka: BlockingKafka,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """A worker that has handled all messages; the tests look at the effects."""
    modes = MODES[request.param]
    with empty_sandbox(broker, postgres, tmp_path_factory.mktemp("served")) as sandbox:
        prepared = cases(sandbox.index.index_url())
        sandbox.seed.index(sandbox.index.index_url())
        sandbox.seed.index("https://tensorflow.pypi.thoth-station.ninja/index/simple", enabled=False)
        for case in prepared.values():
            case.prepare(sandbox.seed)
        kafka.create_topics(broker, map(sandbox.topic, TYPES))
        with sandbox.worker(sandbox.env(modes)) as worker:
            offsets = {
                name: kafka.send(sandbox.topic(case.base_name), message(case.fields)).offset
                for name, case in prepared.items()
            }
            consumed = sum(_has_work(case.base_name, modes) for case in prepared.values())
            done = "thoth_investigator_processed_total"
            wait_until(lambda: metric(worker, done) == consumed, f"{consumed} messages handled", timeout=60)
            yield Served(modes, sandbox, worker, prepared, offsets, Scrape(worker))


@pytest.mark.parametrize("name", CASES)
def test_a_message_leads_to_exactly_the_expected_workflows(served: Served, name: str) -> None:
    """Kind, namespace and parameters are as expected, and only the modes of the worker have effects."""
    missing = served.wanted(served.cases[name])
    for workflow in served.workflows(name):
        met = next((wanted for wanted in missing if wanted.is_met_by(workflow)), None)
        assert met is not None, f"{workflow} is none of {missing}"
        missing.remove(met)
    assert missing == []


@pytest.mark.parametrize("name", CHANGING)
def test_a_message_changes_exactly_the_expected_rows_of_the_graph(served: Served, name: str) -> None:
    """Flags in tables of the real schema are set in the expected mode only."""
    changes: dict[str, Change] = {
        mode: effects.change for mode, effects in served.cases[name].effects.items() if effects.change
    }
    for mode, change in changes.items():
        assert change.look(served.sandbox.seed) == (change.after if mode in served.modes else change.before)


def test_ids_have_the_form_that_other_components_parse(served: Served) -> None:
    """A prefix (for a solver workflow the solver's name), the date and sixteen hexadecimal digits."""
    for workflow in served.sandbox.cluster.created:
        prefix = workflow.parameters.get("THOTH_SOLVER_NAME") or PREFIXES.get(workflow.kind, workflow.kind)
        if workflow.kind == "kebechet-administrator":
            prefix = workflow.kind
        assert re.fullmatch(rf"{prefix}-\d{{12}}-[0-9a-f]{{16}}", workflow.name), workflow.name


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("with a job id")])
def test_the_job_id_of_a_message_is_the_id_of_its_workflow(served: Served, name: str) -> None:
    """The sender of the message polls for the result by this id."""
    job_id = served.cases[name].fields["job_id"]

    assert [workflow.name for workflow in served.workflows(name)] == [job_id] * len(served.wanted(served.cases[name]))


def test_versions_of_a_package_are_solved_latest_first(served: Served) -> None:
    """An adviser most likely waits for the latest version."""
    if "middletier" in served.modes:
        packages = [
            workflow.parameters["THOTH_SOLVER_PACKAGES"]
            for workflow in served.workflows("unresolved without a version")
        ]
        assert packages == sorted(packages, reverse=True)


@pytest.mark.parametrize("base_name", TYPES)
def test_the_metrics_of_the_contract_count_messages_and_workflows(served: Served, base_name: str) -> None:
    """Processed messages and scheduled workflows are counted by type; nothing failed, nothing is halted."""
    of_type = [case for case in served.cases.values() if case.base_name == base_name]
    label = base_name.rsplit(".", 1)[-1].replace("-", "_")
    expected = Counter(wanted.kind for case in of_type for wanted in served.wanted(case))
    scrape = served.scrape

    handled = scrape.value("thoth_investigator_processed_total", message_type=label)
    assert handled == (len(of_type) if served.is_consumed(base_name) else 0)
    assert scrape.value("thoth_investigator_halted_topics", base_topic_name=base_name) == 0
    for name in ("exceptions_total", "failures_total", "in_progress"):
        assert scrape.value(f"thoth_investigator_{name}", message_type=label) == 0
    for kind in {workflow.kind for workflow in served.sandbox.cluster.created}:
        scheduled = scrape.value(
            "thoth_investigator_scheduled_workflows_total", message_type=base_name, workflow_type=kind
        )
        assert scheduled == expected[kind], kind


@pytest.mark.parametrize("base_name", TYPES)
def test_messages_are_counted_by_version_in_metrics_mode_only(served: Served, base_name: str) -> None:
    """Every message of every type is counted, a message without a version as v1."""
    of_type = [case for case in served.cases.values() if case.base_name == base_name]
    expected = Counter(case.fields.get("version") or "v1" for case in of_type if "metrics" in served.modes)
    label = base_name.rsplit(".", 1)[-1].replace("-", "_")

    counted = served.scrape["message_count_by_version_total"]
    assert {version: count for (kind, version), count in counted.items() if kind == label} == expected


def test_justifications_add_up_in_metrics_mode_only(served: Served) -> None:
    """The gauge is the sum of the counts of all messages with the same justification."""
    of_type = [case for case in served.cases.values() if case.base_name == "thoth.advise-reporter.advise-justification"]
    expected: Counter[tuple[str, ...]] = Counter()
    for case in of_type:
        labels = (case.fields["message"], case.fields["justification_type"], served.sandbox.deployment)
        expected[labels] += case.fields["count"]

    gauges = served.scrape["thoth_advise_justification_type_number"]
    assert gauges == (expected if "metrics" in served.modes else {})


def test_the_offsets_of_all_messages_are_committed(served: Served, kafka: BlockingKafka) -> None:
    """After a restart no message is handled again."""
    of_type = Counter(case.base_name for case in served.cases.values() if served.is_consumed(case.base_name))
    group = served.sandbox.group(served.modes)
    for base_name, number in of_type.items():
        topic = served.sandbox.topic(base_name)
        wait_until(lambda: kafka.committed(group, topic) == {0: number}, f"{number} committed of {topic}")  # noqa: B023  (called in the same iteration)


def test_a_metric_shows_the_committed_offset_of_each_partition(served: Served) -> None:
    """Dashboards compute the lag from it."""
    of_type = Counter(case.base_name for case in served.cases.values() if served.is_consumed(case.base_name))
    name = "current_partition_offsets"
    for base_name, number in of_type.items():
        labels = {"topic_name": served.sandbox.topic(base_name), "partition": "0"}
        wait_until(lambda: metric(served.worker, name, **labels) == number, f"{number} of {base_name}")  # noqa: B023  (called in the same iteration)

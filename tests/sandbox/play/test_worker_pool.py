# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.play.worker_pool import MetricsSnapshot, message_type_label

TEXT = """\
# HELP thoth_investigator_processed_total Messages that were processed
# TYPE thoth_investigator_processed_total counter
thoth_investigator_processed_total{message_type="adviser_trigger"} 3.0
thoth_investigator_processed_total{message_type="repo_init"} 1.0
# HELP thoth_investigator_failures_total Messages that failed
# TYPE thoth_investigator_failures_total counter
thoth_investigator_failures_total{message_type="adviser_trigger"} 1.0
# HELP thoth_investigator_halted_topics Whether a topic is halted
# TYPE thoth_investigator_halted_topics gauge
thoth_investigator_halted_topics{base_topic_name="thoth.adviser-trigger"} 1.0
thoth_investigator_halted_topics{base_topic_name="thoth.repo-init"} 0.0
"""


@pytest.fixture
def metrics() -> MetricsSnapshot:
    """The metrics of a worker that processed four messages and failed to handle one."""
    return MetricsSnapshot.parse(TEXT)


def test_the_label_is_the_last_part_of_the_base_name() -> None:
    """The contract names the labels of the metrics."""
    assert message_type_label("thoth.package-release.package-released") == "package_released"


def test_a_total_has_only_samples_of_that_name_with_those_labels(metrics: MetricsSnapshot) -> None:
    """Other labels of a sample do not matter."""
    assert metrics.total("thoth_investigator_processed_total") == 4
    assert metrics.total("thoth_investigator_processed_total", message_type="repo_init") == 1


def test_failed_messages_count_as_handled(metrics: MetricsSnapshot) -> None:
    """Otherwise the run would wait for their end until its timeout."""
    assert (metrics.handled("thoth.adviser-trigger"), metrics.failures("thoth.adviser-trigger")) == (4, 1)


def test_halted_topics_and_failed_messages_are_problems(metrics: MetricsSnapshot) -> None:
    """Each line names the topic or message type; a topic that is not halted has no line."""
    assert metrics.problems() == [
        "topic thoth.adviser-trigger is halted",
        "messages of type adviser_trigger failed",
    ]


@pytest.mark.parametrize(("count", "has"), [(0, False), (2, True)])
def test_a_worker_has_partitions_after_its_first_rebalance(*, count: int, has: bool) -> None:
    """A worker is healthy before that, but does not accept messages yet."""
    text = f"# TYPE faust_rebalance_done_latency histogram\nfaust_rebalance_done_latency_count {count}.0\n"
    assert MetricsSnapshot.parse(text).has_partitions is has


def test_a_worker_that_does_not_answer_has_no_metrics() -> None:
    """An empty response has no samples."""
    assert MetricsSnapshot.parse("") == MetricsSnapshot(())

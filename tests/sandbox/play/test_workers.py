# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.play.workers import Reading, label_of

TEXT = """\
# HELP thoth_investigator_processed_total Messages that were handled
# TYPE thoth_investigator_processed_total counter
thoth_investigator_processed_total{message_type="adviser_trigger"} 3.0
thoth_investigator_processed_total{message_type="repo_init"} 1.0
# HELP thoth_investigator_failures_total Messages that were given up
# TYPE thoth_investigator_failures_total counter
thoth_investigator_failures_total{message_type="adviser_trigger"} 1.0
# HELP thoth_investigator_halted_topics Whether a topic is halted
# TYPE thoth_investigator_halted_topics gauge
thoth_investigator_halted_topics{base_topic_name="thoth.adviser-trigger"} 1.0
thoth_investigator_halted_topics{base_topic_name="thoth.repo-init"} 0.0
"""


@pytest.fixture
def reading() -> Reading:
    """The metrics of a worker that has given up a message."""
    return Reading.of_text(TEXT)


def test_a_message_type_is_known_by_the_last_part_of_its_name() -> None:
    """Guarantee: the label is the one that the contract has for metrics."""
    assert label_of("thoth.package-release.package-released") == "package_released"


def test_samples_are_added_up_by_their_labels(reading: Reading) -> None:
    """Guarantee: only the samples of that name and with those labels count."""
    assert reading.total("thoth_investigator_processed_total") == 4
    assert reading.total("thoth_investigator_processed_total", message_type="repo_init") == 1


def test_given_up_messages_count_as_dealt_with(reading: Reading) -> None:
    """Guarantee: nobody waits for the end of a message that was given up."""
    assert (reading.processed("thoth.adviser-trigger"), reading.failures("thoth.adviser-trigger")) == (4, 1)


def test_halts_and_failures_are_troubles(reading: Reading) -> None:
    """Guarantee: both are told by name, and topics that are not halted are not."""
    assert reading.troubles() == [
        "the topic thoth.adviser-trigger is halted",
        "a message of the type adviser_trigger was given up",
    ]


@pytest.mark.parametrize(("count", "has"), [(0, False), (2, True)])
def test_a_worker_is_ready_when_it_has_taken_part_in_an_assignment(*, count: int, has: bool) -> None:
    """Guarantee: a worker that is healthy but has no partitions yet is not taken for ready."""
    text = f"# TYPE faust_rebalance_done_latency histogram\nfaust_rebalance_done_latency_count {count}.0\n"
    assert Reading.of_text(text).has_partitions is has


def test_a_worker_that_does_not_answer_has_no_metrics() -> None:
    """Guarantee: nothing is made up for it."""
    assert Reading.of_text("") == Reading(())

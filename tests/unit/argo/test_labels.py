# SPDX-License-Identifier: GPL-3.0-or-later
from hypothesis import given
from hypothesis import strategies as st

from investigator.argo.labels import trace_metadata
from investigator.delivery.origin import Origin


def test_annotations_name_the_message() -> None:
    """An operator finds the message of any workflow; one without a correlation id has no annotation for it."""
    trace = trace_metadata("thoth.adviser-trigger", Origin("stage.thoth.adviser-trigger", 3, 41_317, 0))
    assert {name.split("/")[1]: value for name, value in trace.annotations.items()} == {
        "message-type": "thoth.adviser-trigger",
        "topic": "stage.thoth.adviser-trigger",
        "partition": "3",
        "offset": "41317",
        "timestamp": "0",
    }


@given(st.text(max_size=70), st.text(max_size=2000))
def test_any_topic_and_correlation_id_makes_valid_labels(topic: str, correlation_id: str) -> None:
    """A sender cannot prevent the creation of its workflow by an odd id."""
    trace = trace_metadata("thoth.adviser-trigger", Origin(topic, 0, 0, 0), correlation_id)
    assert all(0 < len(value) <= 63 for value in trace.labels.values())
    assert sum(map(len, trace.annotations.values())) < 3000

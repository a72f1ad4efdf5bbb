# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of ids; they depend on the message and the step alone."""

import re

from hypothesis import given
from hypothesis import strategies as st

from investigator.argo.ids import workflow_id
from investigator.delivery.origin import Origin

ORIGIN = Origin("prod.thoth.package-release.package-released", 3, 41_317, 1_622_505_600_000)

numbers = st.integers(min_value=0, max_value=2**63 - 1)
origins = st.builds(Origin, st.text(), numbers, numbers, st.integers(min_value=-(2**63), max_value=2**63 - 1))
prefixes = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)


def test_the_id_of_a_known_message_never_changes() -> None:
    """Every release makes the same ids; otherwise an upgrade would schedule workflows twice."""
    assert workflow_id("adviser", ORIGIN) == "adviser-210601000000-4a0aff399024bd3d"
    assert (
        workflow_id("solver-rhel-8-py38", ORIGIN, "flask===2.0.1") == "solver-rhel-8-py38-210601000000-7f04717829a8bbfa"
    )


@given(prefixes, origins, st.text())
def test_every_id_has_the_form_that_other_components_parse(prefix: str, origin: Origin, step: str) -> None:
    """Prefix, date and 16 hex digits, whatever the message contains."""
    name = workflow_id(prefix, origin, step)
    assert name.rsplit("-", 2)[0] == prefix
    assert re.fullmatch(r"\d{12}-[0-9a-f]{16}", name.removeprefix(f"{prefix}-"))


@given(prefixes, origins, st.text())
def test_the_same_message_and_step_have_the_same_id(prefix: str, origin: Origin, step: str) -> None:
    """A retry, a redelivery and a replay request the same workflow."""
    again = Origin(origin.topic, origin.partition, origin.offset, origin.timestamp_ms)
    assert workflow_id(prefix, origin, step) == workflow_id(prefix, again, step)


@given(st.tuples(prefixes, origins, st.text()), st.tuples(prefixes, origins, st.text()))
def test_different_messages_or_steps_have_different_ids(
    one: tuple[str, Origin, str], two: tuple[str, Origin, str]
) -> None:
    """Two workflows never share an id."""
    assert (workflow_id(*one) == workflow_id(*two)) == (one == two)


@given(origins, st.text(min_size=1))
def test_prefix_and_step_do_not_run_into_each_other(origin: Origin, tail: str) -> None:
    """Moving text from the prefix to the step changes the id."""
    assert workflow_id("a", origin, tail)[-16:] != workflow_id(f"a{tail}", origin, "")[-16:]


def test_the_date_is_that_of_the_message_in_utc() -> None:
    """Other components list documents by the day of the request; every worker computes the same day."""
    assert workflow_id("adviser", Origin("t", 0, 0, 1_700_000_000_999)).split("-")[1] == "231114221320"


def test_a_message_without_a_timestamp_has_an_id_too() -> None:
    """Kafka's -1 and any number of a producer give some date."""
    dates = [workflow_id("adviser", Origin("t", 0, 0, stamp)).split("-")[1] for stamp in (-1, 2**63 - 1)]
    assert dates == ["700101000000", "991231000000"]

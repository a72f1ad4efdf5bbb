# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documented permissions in Kafka allow, and what they do not."""

import pytest

from investigator.delivery.dead_letters import dead_letter_topic
from investigator.kafka.acl_rules import (
    operator_permissions,
    producer_permissions,
    topics_with,
    worker_permissions,
)
from investigator.kafka.topics import HALTS, REPLAYS
from investigator.message_types import load_message_types

TOPICS = sorted(load_message_types())
DEAD_LETTERS = {dead_letter_topic(topic) for topic in TOPICS}


def test_producers_write_to_no_topic_of_workers_and_operators() -> None:
    """A producer that could would halt topics, hide dead letters, or take the identity of other messages."""
    assert not {each.name for each in producer_permissions(TOPICS)} & {HALTS, REPLAYS, *DEAD_LETTERS}


@pytest.mark.parametrize("log", [HALTS, REPLAYS])
def test_no_full_name_of_a_message_topic_covers_a_log_as_a_prefix(log: str) -> None:
    """An administrator who grants a producer its topic by prefix opens no log."""
    assert [topic for topic in TOPICS if log.startswith(topic)] == []


def test_workers_write_nothing_but_halts_and_dead_letters() -> None:
    """A worker that is taken over sends no messages, and no replays."""
    needed = list(worker_permissions("group", TOPICS, HALTS))
    assert set(topics_with(needed, "WRITE")) == {HALTS, *DEAD_LETTERS}
    assert set(topics_with(needed, "READ")) == {HALTS, *TOPICS}


def test_operators_read_no_messages_but_dead_letters() -> None:
    """The commands join no group, either."""
    needed = list(operator_permissions(TOPICS, HALTS, REPLAYS))
    assert set(topics_with(needed, "READ")) == {HALTS, REPLAYS, *DEAD_LETTERS}
    assert {each.resource for each in needed} == {"topic"}

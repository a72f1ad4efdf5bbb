# SPDX-License-Identifier: GPL-3.0-or-later
"""A topic of a log with a cleanup policy that deletes records is refused, with the command that corrects it."""

import pytest

from investigator.kafka.compaction import CleanupPolicyError, check_compaction
from investigator.kafka.topics import Topic
from sandbox.broker import Broker

COMPACTED = {"cleanup.policy": "compact"}


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_log_that_would_lose_records_is_refused(broker: Broker, deployment: str, policy: str) -> None:
    """An operator or another program created the topic."""
    name = f"{deployment}.halts"
    await broker.create_topics([name], config={"cleanup.policy": policy})
    with pytest.raises(CleanupPolicyError) as raised:
        await check_compaction({"bootstrap_servers": [broker.bootstrap_servers]}, [Topic(name, 1, 1, COMPACTED)])
    (text,) = raised.value.args
    assert f"{name} has cleanup.policy={policy}" in text
    command = f"--bootstrap-server {broker.bootstrap_servers} --alter --entity-type topics --entity-name {name} "
    assert command + "--add-config cleanup.policy=compact" in text


async def test_a_compacted_log_and_other_topics_pass(broker: Broker, deployment: str) -> None:
    """Message topics may have any policy."""
    names = [f"{deployment}.halts", f"{deployment}.messages"]
    await broker.create_topics(names[:1], config=COMPACTED)
    await broker.create_topics(names[1:], config={"cleanup.policy": "delete"})
    topics = [Topic(names[0], 1, 1, COMPACTED), Topic(names[1], 1, 1)]
    await check_compaction({"bootstrap_servers": broker.bootstrap_servers}, topics)

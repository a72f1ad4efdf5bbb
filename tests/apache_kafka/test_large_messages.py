# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as large as their topic takes, on a broker that holds to it: kept when they fail, and sent again."""

from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT
from tests.support.blocking_kafka import BlockingKafka
from tests.support.faust_command import faust
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until

# What the sandbox's brokers take of topics that do not say it themselves.
LARGEST = 16 * 2**20


def test_a_message_as_large_as_its_topic_takes_is_kept_and_sent_again(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """The dead letter is larger than what brokers take by default; so is the replay, until its topic takes it."""
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    value = b"x" * (LARGEST - 200)
    environment = sandbox.env(KAFKA_MESSAGE_MAX_BYTES=str(LARGEST), THOTH_INVESTIGATOR_ACK_ON_FAIL="1")
    replay = ("dead-letters", "replay", REPO_INIT, "--all")
    with sandbox.worker(environment):
        kafka.send(topic, value)
        [kept] = kafka.read(f"{topic}-dlt", 1)
        assert kept.value == value

        refused = faust(environment, *replay)
        assert refused.returncode == 1
        assert f"{topic} takes no record" in refused.stderr
        needed = refused.stderr.rpartition("set max.message.bytes of that topic to ")[2].split()[0]
        admin.configure_topic(topic, {"max.message.bytes": needed})
        sent = faust(environment, *replay)
        assert "sent 1 of 1" in sent.stdout, sent.stderr
        [_, again] = kafka.read(f"{topic}-dlt", 2)
        assert again.value == value
        wait_until(lambda: sum(kafka.committed(sandbox.group(), topic).values()) == 2, "both are done with")

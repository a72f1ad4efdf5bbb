# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the largest size that their topic accepts: dead-lettered, and replayed."""

from sandbox.environment import Sandbox
from tests.apache_kafka.repo_init_messages import REPO_INIT
from tests.support.blocking_kafka import BlockingKafka
from tests.support.faust_command import faust
from tests.support.kafka_admin import KafkaAdmin
from tests.support.polling import wait_until

# message.max.bytes of the sandbox's brokers; unlike the embedded broker, Apache Kafka enforces it.
LARGEST = 16 * 2**20


def test_a_message_of_the_largest_size_is_dead_lettered_and_replayed(
    sandbox: Sandbox, kafka: BlockingKafka, admin: KafkaAdmin
) -> None:
    """The headers make both the dead letter and the replay larger than the broker's default limit.

    The worker creates the dead-letter topic with a sufficient limit; for the replay, the operator raises the topic's.
    """
    topic = sandbox.topic(REPO_INIT)
    admin.create_topic(topic)
    value = b"x" * (LARGEST - 200)
    environment = sandbox.env(KAFKA_MESSAGE_MAX_BYTES=str(LARGEST), THOTH_INVESTIGATOR_ACK_ON_FAIL="1")
    replay = ("dead-letters", "replay", REPO_INIT, "--all")
    with sandbox.worker(environment):
        kafka.send(topic, value)
        [dead_letter] = kafka.read(f"{topic}-dlt", 1)
        assert dead_letter.value == value

        refused = faust(environment, *replay)
        assert refused.returncode == 1
        assert f"{topic} takes no record" in refused.stderr
        needed = refused.stderr.rpartition("set max.message.bytes of that topic to ")[2].split()[0]
        admin.configure_topic(topic, {"max.message.bytes": needed})
        sent = faust(environment, *replay)
        assert "sent 1 of 1" in sent.stdout, sent.stderr
        [_, again] = kafka.read(f"{topic}-dlt", 2)
        assert again.value == value
        wait_until(
            lambda: sum(kafka.committed(sandbox.group(), topic).values()) == 2,
            "the message and its replay are committed",
        )

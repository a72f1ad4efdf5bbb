# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a worker whose place in the group another one has taken."""

from aiokafka.errors import KafkaError

from investigator.kafka.patches.fenced_member import is_fenced
from investigator.streaming.process_end import end_process

_FENCED = (
    "Ending the worker: another one joined the group with the same KAFKA_CONSUMER_GROUP_INSTANCE_ID and took its "
    "place. Give each worker a value of its own, such as the name of its pod, or remove the variable instance_id=%s"
)


def end_if_fenced(error: KafkaError, instance_id: str | None) -> None:
    """End the process if that is what the error says; aiokafka raises it from polls as well as from the group."""
    if is_fenced(error):
        end_process(_FENCED, instance_id)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a worker that its group excludes: another one has taken its place, or its user may not read the group."""

from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from investigator.kafka.patches.fenced_member import is_fenced
from investigator.streaming.process_end import end_process

_FENCED = (
    "Ending the worker: another one joined the group with the same KAFKA_CONSUMER_GROUP_INSTANCE_ID and took its "
    "place. Give each worker a value of its own, such as the name of its pod, or remove the variable instance_id=%s"
)

_REFUSED = (
    "Ending the worker: READ on the group was revoked, so it can commit nothing and decide nothing about failed "
    "messages. Grant READ on the group again, see docs/kafka.md group=%s"
)


def end_if_excluded(error: BaseException, instance_id: str | None) -> None:
    """End the process if the error says that; aiokafka raises it from polls and commits as well as from the group."""
    if isinstance(error, GroupAuthorizationFailedError):
        end_process(_REFUSED, error.args[0])
    if isinstance(error, KafkaError) and is_fenced(error):
        end_process(_FENCED, instance_id)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the consumer that keeps the worker in its group, and ends a worker that can't be in it."""

from typing import Any

from aiokafka.errors import InvalidSessionTimeoutError, KafkaError
from mode import Service

from investigator.streaming.consumer_thread import ConsumerThread
from investigator.streaming.fencing import end_if_excluded

# How often a worker that can't join its group checks for the reason.
_GROUP_CHECK_SECONDS = 2.0

_SESSION_REMEDY = (
    "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within the brokers' group.min.session.timeout.ms and "
    "group.max.session.timeout.ms; with its present value no broker lets this worker join a group"
)


class MembershipMixin(Service):
    """A mixin for Faust's consumer."""

    app: Any
    _thread: ConsumerThread

    @Service.task
    async def _keep_membership(self) -> None:
        # Faust does not poll while all of its buffers are full, as they are while every topic waits for the cluster.
        # After broker_max_poll_interval the client would then leave the group, though this worker is healthy.
        interval = self.app.conf.broker_max_poll_interval / 4
        while not self.should_stop:
            await self.sleep(interval)
            if not self.should_stop:
                await self._thread.heartbeat_poll()

    @Service.task
    async def _watch_membership(self) -> None:
        while not self.should_stop:
            await self.sleep(_GROUP_CHECK_SECONDS)
            if not self.should_stop:
                await self._report_group_error(await self._thread.group_error())

    async def _report_group_error(self, error: KafkaError | None) -> None:
        if isinstance(error, InvalidSessionTimeoutError):
            self.log.critical("%s", _SESSION_REMEDY)
            await self.crash(error)
        elif error is not None:
            end_if_excluded(error, self.app.conf.consumer_group_instance_id)
            self.log.warning("Could not join the consumer group; will retry, see docs/kafka.md error=%r", error)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this worker still owns the partition of a message, asked before anything is decided permanently about it.

A worker that was suspended beyond its session timeout does not know yet that its partitions have another owner. That
one handles their unfinished messages, so that a dead letter or a halt of the former owner would be wrong.
"""

from collections.abc import Awaitable, Callable

from investigator.delivery.ledger import Ledger, Partition
from investigator.delivery.messages import InFlightMessage

#: Asks the brokers whether this worker still owns a partition; waits for as long as they do not answer.
OwnershipCheck = Callable[[Partition], Awaitable[bool]]


async def _trust_ledger(_partition: Partition) -> bool:
    return True


class Ownership:
    """Combines the ledger, which knows of every rebalance that this worker took part in, and the brokers' answer.

    Args:
        ledger: the ledger of this worker.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._check: OwnershipCheck = _trust_ledger

    def check_by(self, check: OwnershipCheck) -> None:
        """Ask this check from now on; before, the ledger alone decides."""
        self._check = check

    async def holds(self, message: InFlightMessage) -> bool:
        """Return whether the message is still this worker's, by the ledger before and after the brokers' answer."""
        token = message.ack_token
        return self._ledger.is_valid(token) and await self._check(token.partition) and self._ledger.is_valid(token)

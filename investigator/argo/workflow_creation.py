# SPDX-License-Identifier: GPL-3.0-or-later
"""One workflow that is being created, over all calls that it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from investigator.argo.http import ApiError
from investigator.argo.quota_refusals import QuotaRefusal, quota_refusal


class CreateResult(Enum):
    """The result of creating a workflow; the values are for the log."""

    CREATED = "created"
    EXISTED = "existed"  # an earlier delivery of the message created it
    CREATED_BY_RETRY = "created by retry"  # an earlier call created it and lost the response; its retry found it


@dataclass(slots=True)
class WorkflowCreation:
    """Creates a workflow by a call that may be repeated.

    ``create`` creates it and returns whether it did not exist; it blocks.
    """

    create: Callable[[], bool]
    _calls: int = 0  # those that may have created it

    def __call__(self) -> CreateResult | QuotaRefusal:
        """Create the workflow, or return the refusal of a quota, which is no error of the API or of the message.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: the API refused the workflow for another reason, or did not answer.
        """
        self._calls += 1
        try:
            created = self.create()
        except ApiError as error:
            refusal = quota_refusal(error)
            if refusal is None:
                raise
            self._calls -= 1
            return refusal
        if created:
            return CreateResult.CREATED
        return CreateResult.EXISTED if self._calls == 1 else CreateResult.CREATED_BY_RETRY

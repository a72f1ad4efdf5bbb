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
    DUPLICATE = "duplicate"  # another message with the same job id, kind and parameters, or another component, did
    CREATED_BY_RETRY = "created by retry"  # an earlier call created it and lost the response; its retry found it

    @property
    def is_new(self) -> bool:
        """Whether this delivery of the message has created the workflow."""
        return self in {CreateResult.CREATED, CreateResult.CREATED_BY_RETRY}


@dataclass(slots=True)
class WorkflowCreation:
    """Creates a workflow by a call that may be repeated.

    ``create`` creates it unless it exists, and returns which; it blocks.
    """

    create: Callable[[], CreateResult]
    _calls: int = 0  # those that may have created it

    def __call__(self) -> CreateResult | QuotaRefusal:
        """Create the workflow, or return the refusal of a quota, which is no error of the API or of the message.

        Raises:
            ApiError, urllib3.exceptions.HTTPError: the API refused the workflow for another reason, or did not answer.
            PermanentError: the workflow is too large, or one of that name belongs to another request.
        """
        self._calls += 1
        try:
            result = self.create()
        except ApiError as error:
            refusal = quota_refusal(error)
            if refusal is None:
                raise
            self._calls -= 1
            return refusal
        return CreateResult.CREATED_BY_RETRY if result is CreateResult.EXISTED and self._calls > 1 else result

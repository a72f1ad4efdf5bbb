# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognizes the refusals of a creation that a ResourceQuota of the namespace causes, by the table of answers."""

import re
from dataclasses import dataclass

from investigator.argo.answer_rows import CLUSTER_ANSWERS
from investigator.argo.answers import api_answer
from investigator.argo.api_errors import ApiError
from investigator.resilience.answers import Meaning, find_row

# A quota without room is named, and so is one whose usage is not computed yet. Without a name, two creations met at the
# quota, or the admission was too slow; neither says that there is no room.
_NAME = re.compile(r"(?:exceeded quota|status unknown for quota): (?P<name>[^\s,:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QuotaRefusal:
    """A creation that a quota refused; ``error`` is the whole answer.

    If it ``is_conflict``, the same request may succeed at once.
    """

    quota: str
    error: str
    is_conflict: bool = False


def quota_refusal(error: ApiError) -> QuotaRefusal | None:
    """Return the refusal if a quota caused the error; None for any other error."""
    row = find_row(CLUSTER_ANSWERS, api_answer(error))
    if row is None or row.meaning is not Meaning.WAIT_FOR_ROOM:
        return None
    found = _NAME.search(error.message)
    return QuotaRefusal(found["name"] if found else "unknown", str(error), is_conflict=not found)

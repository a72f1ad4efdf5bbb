# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisers gave a justification of a kind a number of times.

advise-reporter counts the justifications and sends the message. The worker adds the count to a gauge for dashboards.
"""

from typing import Annotated

from pydantic import Field

from investigator.agent import Message, Mode, Unused, Work, agent

# More justifications than all advisers give between two reports; from 2**53 on a gauge no longer counts exactly.
_MAX_COUNT = 10**9


class AdviseJustification(Message, serializer="json"):
    """The justification, its type, the number of times it was given, and the version of the adviser."""

    message: str
    justification_type: str
    count: Annotated[int, Field(ge=0, le=_MAX_COUNT)]
    adviser_version: Unused


@agent("thoth.advise-reporter.advise-justification", mode=Mode.METRICS)
async def count(message: AdviseJustification, work: Work) -> None:
    """Add the count to the gauge."""
    work.metrics.thoth_advise_justification_type_number.labels(
        advise_message=message.message,
        justification_type=message.justification_type,
        thoth_environment=work.settings.thoth_deployment_name,
    ).inc(message.count)

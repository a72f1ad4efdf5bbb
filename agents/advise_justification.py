# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisers gave a justification of a kind a number of times.

advise-reporter counts the justifications and sends the message. The worker adds the count to a gauge for dashboards.
"""

from investigator.agent import Message, Mode, Work, agent


class AdviseJustification(Message, serializer="json"):
    """The justification, its type, the number of times it was given, and the version of the adviser."""

    message: str
    justification_type: str
    count: int
    adviser_version: str


@agent("thoth.advise-reporter.advise-justification", mode=Mode.METRICS)
async def count(message: AdviseJustification, work: Work) -> None:
    """Add the count to the gauge."""
    work.metrics.thoth_advise_justification_type_number.labels(
        advise_message=message.message,
        justification_type=message.justification_type,
        thoth_environment=work.settings.thoth_deployment_name,
    ).inc(message.count)

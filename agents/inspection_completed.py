# SPDX-License-Identifier: GPL-3.0-or-later
"""An inspection by Amun has completed, and its document is not in the knowledge graph yet.

Amun sends the message. The worker schedules the graph-sync workflow for the document.
"""

from investigator.agent import Message, Mode, Text, Work, agent


class InspectionCompleted(Message, serializer="json"):
    """The id of the inspection, and whether to sync it even if the graph holds it already."""

    inspection_id: Text
    force_sync: bool = False


@agent("thoth.inspection-completed", mode=Mode.MIDDLETIER)
async def sync(message: InspectionCompleted, work: Work) -> None:
    """Schedule the sync of the inspection's document."""
    await work.schedule("graph-sync", document_id=message.inspection_id, force_sync=message.force_sync)

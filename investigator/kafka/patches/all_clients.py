# SPDX-License-Identifier: GPL-3.0-or-later
"""The patches that every client of this process needs: of workers, of their checks, and of operators' commands."""

from investigator.kafka.patches.client_closing import close_all_connections
from investigator.kafka.patches.fenced_member import notice_fenced_members
from investigator.kafka.patches.rebootstrap import bootstrap_again


def patch_clients() -> None:
    """Apply them; calling it again changes nothing."""
    close_all_connections()
    bootstrap_again()
    notice_fenced_members()

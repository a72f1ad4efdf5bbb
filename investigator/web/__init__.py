# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of a worker: health, halt and resume, and the status page."""

from investigator.web.control import add_views
from investigator.web.status_collector import StatusCollector, WorkerInfo
from investigator.web.status_page import add_status_pages

__all__ = ["StatusCollector", "WorkerInfo", "add_status_pages", "add_views"]

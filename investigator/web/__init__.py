# SPDX-License-Identifier: GPL-3.0-or-later
"""The web views of a worker: health, metrics, halting and resuming, and the status page."""

from investigator.web.pages import add_status_pages
from investigator.web.sources import Identity, Sources
from investigator.web.views import add_views

__all__ = ["Identity", "Sources", "add_status_pages", "add_views"]

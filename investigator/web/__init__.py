# SPDX-License-Identifier: GPL-3.0-or-later
"""The web views of a worker: health, metrics, halting and resuming."""

from investigator.web.views import add_views

__all__ = ["add_views"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduling of workflows, over HTTP to the cluster stand-in."""

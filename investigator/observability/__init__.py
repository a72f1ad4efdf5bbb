# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics, logs, error reports, and the removal of passwords from all of them."""

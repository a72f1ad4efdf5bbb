# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust, bent to the rules of the delivery package: application, worker, consumer, agents."""

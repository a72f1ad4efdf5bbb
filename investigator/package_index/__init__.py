# SPDX-License-Identifier: GPL-3.0-or-later
"""Package indexes, requested and parsed as pip does: PEP 503, 592, 629, 691 and 700."""

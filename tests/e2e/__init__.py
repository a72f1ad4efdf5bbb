# SPDX-License-Identifier: GPL-3.0-or-later
"""Real workers on a real broker, a real database and a cluster stand-in, tested by their effects only."""

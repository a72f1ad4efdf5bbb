# SPDX-License-Identifier: GPL-3.0-or-later
"""Real workers on a real broker and database and a stand-in of the cluster, looked at from outside only."""

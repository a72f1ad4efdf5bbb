# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge graph in PostgreSQL, over thoth-storages."""

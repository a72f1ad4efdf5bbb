# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the repository that no linter makes; each is run as a module: `python -m tools.check_words`."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The message types that investigator handles: one module for each."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks before a worker starts: each failed one is a message that says what to do."""

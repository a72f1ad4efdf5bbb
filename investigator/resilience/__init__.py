# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of dependencies: quick retries, circuit breakers, timeouts, and threads for blocking calls."""

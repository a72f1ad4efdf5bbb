# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to aiokafka's behaviour, each in a module of its own that says why."""

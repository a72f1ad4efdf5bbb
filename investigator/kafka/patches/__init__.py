# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of aiokafka's behaviour: one module each, with its reason and the upstream issue where there is one."""

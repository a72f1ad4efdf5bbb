# SPDX-License-Identifier: GPL-3.0-or-later
"""Kafka clients on aiokafka, without Faust, for topics, halts, replays and dead letters."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of Kafka on aiokafka, without Faust: topics, halts, replays and dead letters."""

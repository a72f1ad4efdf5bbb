# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the embedded broker lacks, on Apache Kafka itself; see `make test-kafka`."""

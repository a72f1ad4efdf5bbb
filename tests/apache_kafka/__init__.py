# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be proved on Apache Kafka itself, since the embedded broker has no such thing. See `make test-kafka`."""

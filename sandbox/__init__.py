# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings of investigator, embedded: a Kafka broker, PostgreSQL, a cluster's API and a package index.

`make run` plays the scenarios in them, and the tests use the same pieces as fixtures. Each piece can be used alone; the
module `sandbox.environment` starts them all. Nothing here is needed by investigator itself.
"""

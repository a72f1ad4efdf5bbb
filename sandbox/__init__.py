# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that investigator needs, embedded: a Kafka broker, PostgreSQL, a cluster's API and a package index.

`make run` runs the scenarios on them, and the tests use the same servers as fixtures. Each server can be used alone;
`sandbox.environment` starts them all. Investigator itself imports nothing from this package.
"""

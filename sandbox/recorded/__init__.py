# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as real servers send them in trouble, which the embedded servers send on request."""

from sandbox.recorded.answer import RecordedAnswer, RecordedError, load_answers, load_errors

__all__ = ["CLUSTER", "GATEWAYS", "GRAPH", "HTTP", "PACKAGE_INDEX", "RecordedAnswer", "RecordedError"]

CLUSTER = load_answers("cluster")
GATEWAYS = load_answers("gateways")
PACKAGE_INDEX = load_answers("package_index")
GRAPH = load_errors("graph")

#: Every HTTP answer by its name; a `Fault` refers to one.
HTTP: dict[str, RecordedAnswer] = {answer.name: answer for answer in (*CLUSTER, *GATEWAYS, *PACKAGE_INDEX)}

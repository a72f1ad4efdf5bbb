# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the matrix, one a line: name, how it breaks a dependency, the broken part, and what is special.

The name begins with the operation. The broken part is one of the `needs` of the streams in `streams.py`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.fault_matrix.breaks import (
    Break,
    cluster,
    database_connections_cut,
    database_failover,
    database_locked,
    database_login_refused,
    database_proxy,
    database_stopped,
    mirror,
    mirror_stopped,
)
from sandbox.fault_matrix.streams import Stream
from sandbox.fault_matrix.verdict import Expected
from sandbox.faults import Fault

__all__ = ["PATIENCE", "ROWS", "Row", "selected"]

#: How long, in seconds, the workers wait for one operation that fails while others succeed; one fault lasts longer.
PATIENCE = 50.0

_SHORT, _LONG, _LONGER = 5.0, 20.0, 40.0  # seconds; without protection a message's attempts are used up after 11


_STRICT = Expected()
_LUCK = Expected(attempts=True)  # a message that fails five times in a row uses up its attempts
_MAY_HALT = Expected(attempts=True, halts="may")
_MUST_HALT = Expected(attempts=True, halts="must")
_FINAL = Expected(final=True)


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: the name, unique.
        breaks: breaks a part of a dependency.
        part: that part; the streams that need it are affected.
        seconds: the duration.
        lone: whether only one message meets the fault; otherwise every affected stream sends several a second.
        expected: what must hold.
    """

    name: str
    breaks: Break
    part: str
    seconds: float = _LONG
    lone: bool = False
    expected: Expected = _STRICT

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def affects(self, stream: Stream) -> bool:
        """Return whether the messages of a stream need the broken part."""
        return self.part in stream.needs


def selected(words: list[str]) -> list[Row]:
    """Return the rows whose name contains any of the words; all rows without words."""
    return [row for row in ROWS if not words or any(word in row.name for word in words)]


def _creation(kind: str = "", **fault: Any) -> Break:  # noqa: ANN401 - the fields of Fault
    body = f'"entrypoint": "{kind}"' if kind else ""
    return cluster(Fault(**{"effect": "status", "method": "POST", "path": "*/workflows", "body": body, **fault}))


def _answers(name: str) -> dict[str, str]:
    """Return the fields of a fault that sends an answer from sandbox/recorded instead of executing the request."""
    return {"effect": "answer", "answer": name}


def _disguise(name: str) -> dict[str, str]:
    """Return the fields of a fault that executes the request, but sends an answer from sandbox/recorded."""
    return {"effect": "disguise", "answer": name}


_kind = partial(_creation, "graph-sync")
_backend = partial(_creation, namespace="thoth-backend")


def _request(method: str, path: str, **fault: Any) -> Break:  # noqa: ANN401 - the fields of Fault
    return cluster(Fault(**{"effect": "status", "method": method, "path": path, **fault}))


_processing = partial(_request, "POST", "*/processedtemplates")
_process_kind = partial(_processing, body='"template": "graph-sync"')
_templates = partial(_request, "GET", "*/templates")
_count = partial(_request, "GET", "*/workflows")
_solvers = partial(_request, "GET", "*/configmaps/solvers")


def _index(**fault: Any) -> Break:  # noqa: ANN401 - the fields of Fault
    return mirror(Fault(**{"effect": "status", **fault}))


_SYNC, _ANY = "create graph-sync", "cluster"

ROWS = (
    # One kind of workflow cannot be created.
    Row("kind-500-webhook", _kind(**_answers("webhook refuses connections")), _SYNC),
    Row("kind-500-etcd-lone", _kind(**_answers("leader changed")), _SYNC, _LONGER, lone=True),
    Row("kind-500-beyond-patience", _kind(**_answers("webhook times out")), _SYNC, PATIENCE + 20, expected=_MAY_HALT),
    Row("kind-503-lone", _kind(**_answers("API not available")), _SYNC, _LONGER, lone=True),
    Row("kind-504", _kind(**_answers("timeout of the API")), _SYNC),
    Row("kind-403-quota", _kind(**_answers("quota exceeded")), _SYNC),
    Row("kind-409-conflict", _kind(**_answers("conflict at a quota")), _SYNC, _SHORT, expected=_LUCK),
    Row("kind-422", _kind(**_answers("workflow is invalid")), _SYNC, _SHORT, expected=_MUST_HALT),
    Row("kind-hang", _kind(effect="hang"), _SYNC),
    Row("kind-hang-lone", _kind(effect="hang"), _SYNC, _LONGER, lone=True),
    Row("kind-reset", _kind(effect="reset"), _SYNC),
    Row("kind-slow", _kind(effect="latency", seconds=3), _SYNC),
    Row("kind-created-but-reset", _kind(effect="lost"), _SYNC),
    Row("kind-created-but-502", _kind(**_disguise("nginx without an upstream")), _SYNC),
    Row("kind-created-but-html", _kind(**_disguise("page of a login")), _SYNC),
    Row("kind-200-but-failure", _kind(**_answers("success that is a failure")), _SYNC),
    Row("kind-201-but-another", _kind(**_answers("another workflow")), _SYNC),
    # No workflow can be created.
    Row("create-500", _creation(status=500), _ANY),
    Row("create-503-lone", _creation(status=503), _ANY, _LONGER, lone=True),
    Row("create-401", _creation(**_answers("token refused")), _ANY),
    Row("create-403-rbac", _creation(**_answers("permission to create")), _ANY),
    Row("create-404-crd", _creation(**_answers("no definition of workflows")), _ANY),
    Row("create-429", _creation(**_answers("priority and fairness")), _ANY),
    Row("create-502-html", _creation(**_answers("nginx without an upstream")), _ANY),
    Row("create-reset", _creation(effect="reset"), _ANY),
    Row("create-hang", _creation(effect="hang"), _ANY),
    Row("create-created-but-reset", _creation(effect="lost"), _ANY, _SHORT),
    # One namespace refuses workflows.
    Row("namespace-403-quota", _backend(**_answers("quota exceeded")), "backend"),
    Row("namespace-403-terminates", _backend(**_answers("namespace is being deleted")), "backend"),
    Row("namespace-503-lone", _backend(status=503), "backend", _LONGER, lone=True),
    Row("namespace-hang", _backend(effect="hang"), "backend"),
    # Templates cannot be processed or listed.
    Row("process-kind-500", _process_kind(status=500), _SYNC),
    Row("process-404", _processing(**_answers("no such path")), _ANY),
    Row("process-503-lone", _processing(status=503), _ANY, _LONGER, lone=True),
    Row("process-hang", _processing(effect="hang"), _ANY),
    Row("templates-403-rbac", _templates(**_answers("permission to list")), _ANY),
    Row("templates-500", _templates(status=500), _ANY),
    # Pending workflows cannot be counted.
    Row("count-403-rbac", _count(**_answers("permission to list")), _ANY),
    Row("count-410", _count(**_answers("continue token expired")), _ANY, _SHORT),
    Row("count-500-etcd", _count(**_answers("etcd times out")), _ANY),
    Row("count-namespace-504", _count(status=504, namespace="thoth-backend"), "backend"),
    Row("count-hang", _count(effect="hang"), _ANY),
    # The ConfigMap with the names of solvers cannot be read.
    Row("solvers-403-rbac", _solvers(**_answers("permission to list")), "solvers"),
    Row("solvers-404", _solvers(**_answers("no ConfigMap")), "solvers"),
    Row("solvers-500-lone", _solvers(status=500), "solvers", _LONGER, lone=True),
    # The whole API of the cluster fails.
    Row("cluster-401", _request("*", "*", status=401), _ANY),
    Row("cluster-503-lone", _request("*", "*", status=503), _ANY, _LONGER, lone=True),
    # Some requests to the cluster fail.
    Row("cluster-some-errors", cluster(Fault(effect="status", status=500, probability=0.3)), _ANY, expected=_LUCK),
    Row("cluster-some-resets", cluster(Fault(effect="reset", probability=0.3)), _ANY, expected=_LUCK),
    Row("cluster-some-lost-replies", _request("POST", "*", effect="lost", probability=0.3), _ANY, expected=_LUCK),
    Row("cluster-throttles", _request("*", "*", status=429, retry_after=1.0, probability=0.3), _ANY, expected=_LUCK),
    Row("cluster-slow", cluster(Fault(effect="latency", seconds=0.15)), _ANY),
    # One of two package indexes fails.
    Row("index-stopped", mirror_stopped, "mirror"),
    Row("index-stopped-lone", mirror_stopped, "mirror", _LONGER, lone=True),
    Row("index-404", _index(**_answers("PyPI without the package")), "mirror", _SHORT, expected=_FINAL),
    Row("index-500", _index(**_answers("Nexus has an error")), "mirror"),
    Row("index-html", _index(**_answers("page of a login")), "mirror"),
    Row("index-401", _index(**_answers("Artifactory wants a login")), "mirror"),
    Row("index-slow", _index(effect="latency", seconds=3), "mirror"),
    Row("index-hang", _index(effect="hang"), "mirror"),
    # The database fails.
    Row("graph-stopped", database_stopped, "graph"),
    Row("graph-refuses-lone", partial(database_proxy, refuses=True), "graph", _LONGER, lone=True),
    Row("graph-slow", partial(database_proxy, latency=0.5), "graph"),
    Row("graph-stalled", partial(database_proxy, stalled=True), "graph"),
    Row("graph-connections-cut", database_connections_cut, "graph"),
    Row("graph-locked", database_locked, "graph"),
    Row("graph-login-refused", database_login_refused, "graph"),
    Row("graph-read-only", partial(database_failover, closes_connections=True), "graph write"),
    Row("graph-failover", partial(database_failover, closes_connections=False), "graph write"),
)

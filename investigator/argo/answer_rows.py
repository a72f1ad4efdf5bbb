# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the cluster's API: Kubernetes, OpenShift, Argo, and the gateways in front of them."""

from investigator.argo.api_errors import KUBERNETES, UNKNOWN, WEB_PAGE
from investigator.resilience.answers import Meaning, Row

_WEBHOOK = r'^(Internal error occurred: )?admission webhook "[^"]+" denied the request'
_POLICY = r"(Validating|Mutating)AdmissionPolicy '[^']+' with binding '[^']+' denied request"
_STORAGE = (
    r"etcdserver: |mvcc: |rpc error: code = |raft proposal dropped|context deadline exceeded|dial tcp |i/o timeout"
    r"|TLS handshake timeout|connection refused|connection reset|unexpected EOF|http2: |transport is closing"
)
_QUOTA_CONFLICT = (
    r"resource quota evaluation timed out|Operation cannot be fulfilled on (cluster|applied)?resourcequotas?\b"
)
_GATEWAY = (WEB_PAGE, UNKNOWN)
_LATER = ("401", "408", "409", "425", "429", "5??")  # what a webhook answers when it can't decide

#: The first row that matches decides.
CLUSTER_ANSWERS: tuple[Row, ...] = (
    Row(
        name="workflow exists",
        meaning=Meaning.DONE,
        cause="a workflow of this name exists",
        codes=("AlreadyExists",),
        text=r'^workflows\.argoproj\.io "[^"]*" already exists$',
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="webhook fails",
        meaning=Meaning.TEMPORARY,
        cause="an admission or conversion webhook of the cluster fails",
        codes=("500",),
        text=r"^(Internal error occurred: )?(failed calling (admission )?webhook|conversion webhook for )",
    ),
    Row(
        name="webhook can't decide",
        meaning=Meaning.TEMPORARY,
        cause="an admission webhook of the cluster can't decide",
        codes=_LATER,
        text=_WEBHOOK,
    ),
    Row(
        name="denied by a webhook",
        meaning=Meaning.PERMANENT,
        cause="an admission webhook of the cluster denies the workflow",
        codes=("4??",),
        text=_WEBHOOK,
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="policy can't decide",
        meaning=Meaning.TEMPORARY,
        cause="an admission policy of the cluster can't be evaluated",
        codes=("4??", "5??"),
        text=rf"{_POLICY}: (failed to configure|expression .* resulted in error|.*no params found)",
    ),
    Row(
        name="denied by a policy",
        meaning=Meaning.PERMANENT,
        cause="an admission policy of the cluster denies the workflow",
        codes=("4??",),
        text=_POLICY,
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="wait for room",
        meaning=Meaning.WAIT_FOR_ROOM,
        cause="the namespace has reached its quota",
        codes=("403",),
        text=r"is forbidden: (exceeded quota: |status unknown for quota: )",
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="quota not evaluated",
        meaning=Meaning.WAIT_FOR_ROOM,
        cause="the cluster could not evaluate the quota of the namespace at this moment",
        codes=("409", "500"),
        text=_QUOTA_CONFLICT,
    ),
    Row(
        name="namespace terminates",
        meaning=Meaning.UNAVAILABLE,
        cause="the namespace is being deleted",
        codes=("403",),
        text=r"because it is being terminated",
    ),
    Row(
        name="kind terminates",
        meaning=Meaning.UNAVAILABLE,
        cause="the definition of workflows is being deleted",
        codes=("403", "405"),
        text=r"not allowed while custom resource definition is terminating",
    ),
    Row(
        name="API starts",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API is starting",
        codes=("403",),
        text=r"not yet ready to handle request",
    ),
    Row(
        name="missing permission",
        meaning=Meaning.UNAVAILABLE,
        cause="the worker lacks a permission in the cluster, or the API does not know it yet",
        codes=("403",),
        text=r'User "[^"]*" cannot \S+ ',
    ),
    Row(
        name="login refused",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API refuses the worker's login, also with the token read again",
        codes=("401",),
    ),
    Row(
        name="login at a gateway",
        meaning=Meaning.UNAVAILABLE,
        cause="a gateway in front of the cluster's API asks for a login or refuses access",
        codes=("3??", "403", "407"),
        senders=_GATEWAY,
    ),
    Row(
        name="page instead of an answer",
        meaning=Meaning.UNAVAILABLE,
        cause="a gateway answers in place of the cluster's API",
        codes=("2??",),
        senders=(WEB_PAGE,),
    ),
    Row(
        name="success not shown",
        meaning=Meaning.TEMPORARY,
        cause="the status says success, but the answer does not show it",
        codes=("2??",),
    ),
    Row(
        name="not there",
        meaning=Meaning.UNAVAILABLE,
        cause="something that every such request needs is not there",
        codes=("404",),
    ),
    Row(
        name="kind not served",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API does not serve this kind of request",
        codes=("405",),
    ),
    Row(
        name="list expired",
        meaning=Meaning.TEMPORARY,
        cause="the list changed too much between its pages",
        codes=("410",),
    ),
    Row(
        name="throttled",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API asks for fewer requests",
        codes=("429",),
    ),
    Row(
        name="too large for the storage",
        meaning=Meaning.PERMANENT,
        cause="the workflow is too large for the cluster",
        codes=("500",),
        text=r"etcdserver: request is too large|trying to send message larger than max",
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="too large",
        meaning=Meaning.PERMANENT,
        cause="the workflow is too large for the cluster's API",
        codes=("413",),
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="invalid",
        meaning=Meaning.PERMANENT,
        cause="the cluster refuses what the message asks for",
        codes=("400", "422"),
        senders=(KUBERNETES,),
        method="POST",
    ),
    Row(
        name="gateway without API",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API is unavailable",
        codes=("502", "503", "504"),
    ),
    Row(
        name="storage fails",
        meaning=Meaning.UNAVAILABLE,
        cause="the storage of the cluster's API fails",
        codes=("5??",),
        text=_STORAGE,
    ),
    Row(
        name="internal error",
        meaning=Meaning.TEMPORARY,
        cause="the cluster's API has an internal error",
        codes=("5??",),
    ),
    Row(
        name="unclear refusal",
        meaning=Meaning.TEMPORARY,
        cause="the cluster refuses the request for an unclear reason",
        codes=("???",),
    ),
    Row(
        name="certificate not accepted",
        meaning=Meaning.UNAVAILABLE,
        cause="the TLS connection to the cluster's API fails",
        codes=("SSLError",),
    ),
    Row(
        name="no answer",
        meaning=Meaning.UNAVAILABLE,
        cause="the cluster's API does not answer",
        codes=("HTTPError",),
    ),
    Row(
        name="faulty deployment",
        meaning=Meaning.UNAVAILABLE,
        cause="templates or solvers of the deployment can't be used",
        codes=("DeploymentError",),
    ),
    Row(
        name="no workflow",
        meaning=Meaning.TEMPORARY,
        cause="the template and the message make no workflow",
        codes=("NoWorkflowError",),
    ),
    Row(
        name="credentials not readable",
        meaning=Meaning.UNAVAILABLE,
        cause="the credentials of the cluster can't be read",
        codes=("ClusterConfigError", "OSError"),
    ),
    Row(
        name="invalid arguments",
        meaning=Meaning.PERMANENT,
        cause="the message does not make a valid workflow",
        codes=("ThothCommonExceptionError", "ValueError", "TypeError", "LookupError", "AttributeError"),
    ),
)

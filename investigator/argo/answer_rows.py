# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of answers of the cluster's API: Kubernetes, OpenShift, Argo, and the gateways in front of them."""

from functools import partial

from investigator.argo.api_errors import KUBERNETES, UNKNOWN, WEB_PAGE
from investigator.resilience.answers import Row, done, permanent, temporary, unavailable, wait_for_room

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

# Only the API's own answer to a creation is about the message.
_refused = partial(permanent, senders=(KUBERNETES,), method="POST")

#: The first row that matches decides.
CLUSTER_ANSWERS: tuple[Row, ...] = (
    done(
        "workflow exists",
        ("AlreadyExists",),
        "a workflow of this name exists",
        text=r'^workflows\.argoproj\.io "[^"]*" already exists$',
        senders=(KUBERNETES,),
        method="POST",
    ),
    temporary(
        "webhook fails",
        ("500",),
        "an admission or conversion webhook of the cluster fails",
        text=r"^(Internal error occurred: )?(failed calling (admission )?webhook|conversion webhook for )",
    ),
    temporary("webhook can't decide", _LATER, "an admission webhook of the cluster can't decide", text=_WEBHOOK),
    _refused("denied by a webhook", ("4??",), "an admission webhook of the cluster denies the workflow", text=_WEBHOOK),
    temporary(
        "policy can't decide",
        ("4??", "5??"),
        "an admission policy of the cluster can't be evaluated",
        text=rf"{_POLICY}: (failed to configure|expression .* resulted in error|.*no params found)",
    ),
    _refused("denied by a policy", ("4??",), "an admission policy of the cluster denies the workflow", text=_POLICY),
    wait_for_room(
        "wait for room",
        ("403",),
        "the namespace has reached its quota",
        text=r"is forbidden: (exceeded quota: |status unknown for quota: )",
        senders=(KUBERNETES,),
        method="POST",
    ),
    wait_for_room(
        "quota not evaluated",
        ("409", "500"),
        "the cluster could not evaluate the quota of the namespace at this moment",
        text=_QUOTA_CONFLICT,
    ),
    unavailable(
        "namespace terminates", ("403",), "the namespace is being deleted", text=r"because it is being terminated"
    ),
    unavailable(
        "kind terminates",
        ("403", "405"),
        "the definition of workflows is being deleted",
        text=r"not allowed while custom resource definition is terminating",
    ),
    unavailable("API starts", ("403",), "the cluster's API is starting", text=r"not yet ready to handle request"),
    unavailable(
        "missing permission",
        ("403",),
        "the worker lacks a permission in the cluster, or the API does not know it yet",
        text=r'User "[^"]*" cannot \S+ ',
    ),
    unavailable(
        "login refused", ("401",), "the cluster's API refuses the worker's login, also with the token read again"
    ),
    unavailable(
        "login at a gateway",
        ("3??", "403", "407"),
        "a gateway in front of the cluster's API asks for a login or refuses access",
        senders=_GATEWAY,
    ),
    unavailable(
        "page instead of an answer", ("2??",), "a gateway answers in place of the cluster's API", senders=(WEB_PAGE,)
    ),
    temporary("success not shown", ("2??",), "the status says success, but the answer does not show it"),
    unavailable("not there", ("404",), "something that every such request needs is not there"),
    unavailable("kind not served", ("405",), "the cluster's API does not serve this kind of request"),
    temporary("list expired", ("410",), "the list changed too much between its pages"),
    unavailable("throttled", ("429",), "the cluster's API asks for fewer requests"),
    _refused(
        "too large for the storage",
        ("500",),
        "the workflow is too large for the cluster",
        text=r"etcdserver: request is too large|trying to send message larger than max",
    ),
    _refused("too large", ("413",), "the workflow is too large for the cluster's API"),
    _refused("invalid", ("400", "422"), "the cluster refuses what the message asks for"),
    unavailable("gateway without API", ("502", "503", "504"), "the cluster's API is unavailable"),
    unavailable("storage fails", ("5??",), "the storage of the cluster's API fails", text=_STORAGE),
    temporary("internal error", ("5??",), "the cluster's API has an internal error"),
    temporary("unclear refusal", ("???",), "the cluster refuses the request for an unclear reason"),
    unavailable("certificate not accepted", ("SSLError",), "the TLS connection to the cluster's API fails"),
    unavailable("no answer", ("HTTPError",), "the cluster's API does not answer"),
    unavailable("faulty deployment", ("DeploymentError",), "templates or solvers of the deployment can't be used"),
    temporary("no workflow", ("NoWorkflowError",), "the template and the message make no workflow"),
    unavailable(
        "credentials not readable", ("ClusterConfigError", "OSError"), "the credentials of the cluster can't be read"
    ),
    permanent(
        "invalid arguments",
        ("ThothCommonExceptionError", "ValueError", "TypeError", "LookupError", "AttributeError"),
        "the message does not make a valid workflow",
    ),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the permissions in the cluster before the start."""

import asyncio
import re

import pytest

from sandbox.faults import Fault
from tests.integration.preflight.surroundings import Surroundings

ALLOWED_BY_ROLES = [
    "get configmaps in thoth-infra",
    "list templates in thoth-infra",
    "create processedtemplates in thoth-infra",
    *(f"{verb} workflows in thoth-{name}" for name in ("backend", "middletier") for verb in ("create", "get", "list")),
]


async def test_all_missing_permissions_are_reported_at_once(surroundings: Surroundings) -> None:
    """Each with verb, resource and namespace, and with the remedy; no message has to fail first."""
    surroundings.variables["ARGO_PENDING_WORKFLOW_LIMIT"] = "10"
    surroundings.cluster.denied = {"*s in thoth-*"}
    problem = await surroundings.problem()
    for permission in ALLOWED_BY_ROLES:
        verb, resource, _, namespace = permission.split()
        assert re.search(rf"\b{verb} {resource}\S* in {namespace}\b", problem), problem
    assert "manifests/role.yaml" in problem


@pytest.mark.parametrize("denied", ALLOWED_BY_ROLES)
async def test_a_single_missing_permission_is_reported(surroundings: Surroundings, denied: str) -> None:
    """Nothing else is named."""
    surroundings.variables["ARGO_PENDING_WORKFLOW_LIMIT"] = "10"
    surroundings.cluster.denied = {denied}
    problem = await surroundings.problem()
    assert problem.count(" in thoth-") == 1
    assert denied.split()[1] in problem


@pytest.mark.parametrize(
    ("variables", "denied"),
    [
        ({}, "list workflows in *"),
        ({"THOTH_CONSUMER_MODE": "backend", "ARGO_PENDING_WORKFLOW_LIMIT": "1"}, "delete workflows in *"),
        ({"THOTH_CONSUMER_MODE": "metrics"}, "* in *"),
    ],
    ids=["no limit needs no list", "nothing is deleted", "metrics need no cluster"],
)
async def test_only_permissions_of_the_workers_modes_and_settings_are_needed(
    surroundings: Surroundings, variables: dict[str, str], denied: str
) -> None:
    """A worker starts with the roles that it uses."""
    surroundings.variables |= variables
    surroundings.cluster.denied = {denied}
    await surroundings.check()


@pytest.mark.parametrize("answer", ["permission to create", "no such path", "leader changed", "page of a login"])
async def test_without_an_answer_about_permissions_the_worker_starts(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    """The question itself may be refused; a warning says that missing permissions show later."""
    surroundings.cluster.faults.set(Fault(effect="answer", answer=answer, path="*/selfsubjectaccessreviews"))
    await surroundings.check()
    assert "Could not check the permissions in the cluster" in caplog.text


async def test_permissions_that_the_api_does_not_know_yet_are_no_problem(surroundings: Surroundings) -> None:
    """An API server that has just started denies permissions that exist."""
    surroundings.cluster.denied = {"create workflows in *"}
    asyncio.get_running_loop().call_later(1.5, surroundings.cluster.denied.clear)
    await surroundings.check()

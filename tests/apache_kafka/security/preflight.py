# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that a worker makes before it starts, run without a worker."""

import asyncio
import gc
import warnings
from typing import NoReturn

import pytest

from investigator.kafka.topics import Topic, halts_topic
from investigator.preflight.checks import Preflight, PreflightError
from investigator.settings import load_settings
from tests.apache_kafka.repo_init_messages import REPO_INIT
from tests.apache_kafka.security.secured_broker import Variables
from tests.support.required_settings import REQUIRED


def _preflight(deployment: str, variables: Variables) -> Preflight:
    """Return the checks of a worker in metrics mode, which needs Kafka only."""
    settings = load_settings(
        {**REQUIRED, "THOTH_DEPLOYMENT_NAME": deployment, "THOTH_CONSUMER_MODE": "metrics", **variables}
    )
    topics = [Topic(f"{deployment}.{REPO_INIT}", 1, 1), halts_topic(settings)]
    return Preflight(settings, topics, _unneeded, _unneeded)


def _unneeded() -> NoReturn:
    raise AssertionError("a worker in metrics mode needs neither the graph nor the cluster")


def run_preflight(deployment: str, variables: Variables) -> None:
    """Run the checks, and collect the sockets that they leave open.

    aiokafka does not wait for the end of an encrypted connection. If the broker closes its end slowly, the socket
    outlives the event loop. It is collected here, so that no later test fails because of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            asyncio.run(_preflight(deployment, variables).run())
        finally:
            gc.collect()


def preflight_problem(deployment: str, variables: Variables) -> str:
    """Run the checks and return the one problem that they report; fail if they report none or several."""
    with pytest.raises(PreflightError) as caught:
        run_preflight(deployment, variables)
    (problem,) = caught.value.problems
    return problem

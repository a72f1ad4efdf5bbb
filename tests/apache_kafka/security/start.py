# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker finds out about its broker before it starts, without starting one."""

import asyncio
import gc
import warnings
from typing import NoReturn

import pytest

from investigator.kafka.topics import Topic, halts_topic
from investigator.preflight.checks import Preflight, PreflightError
from investigator.settings import load_settings
from tests.apache_kafka.repositories import REPO_INIT
from tests.apache_kafka.security.secured import Variables
from tests.unit.settings.test_loader import REQUIRED


def _preflight(deployment: str, variables: Variables) -> Preflight:
    """Give the check of a worker's surroundings with these variables."""
    settings = load_settings(
        {**REQUIRED, "THOTH_DEPLOYMENT_NAME": deployment, "THOTH_CONSUMER_MODE": "metrics", **variables}
    )
    topics = [Topic(f"{deployment}.{REPO_INIT}", 1, 1), halts_topic(settings)]
    return Preflight(settings, topics, _not_asked_for, _not_asked_for)


def _not_asked_for() -> NoReturn:
    raise AssertionError("a worker that only counts needs neither graph nor cluster")


def check(deployment: str, variables: Variables) -> None:
    """Run the check, and leave nothing of it behind.

    aiokafka does not wait for the end of an encrypted connection: where the broker is slow to take its leave, the
    socket outlives the loop. It is collected here, so that no other test is blamed for it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            asyncio.run(_preflight(deployment, variables).run())
        finally:
            gc.collect()


def problem_of(deployment: str, variables: Variables) -> str:
    """Run the check, which has to find exactly one problem, and give it."""
    with pytest.raises(PreflightError) as caught:
        check(deployment, variables)
    (problem,) = caught.value.problems
    return problem

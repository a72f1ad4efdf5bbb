# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker finds out about its broker before it starts, without starting one."""

from typing import NoReturn

import pytest

from investigator.preflight import Preflight, PreflightError
from investigator.settings import load_settings
from investigator.topics import Topic, halts_topic
from tests.kafka.repositories import REPO_INIT
from tests.kafka.security.secured import Variables
from tests.settings.test_loading import REQUIRED


def preflight(deployment: str, variables: Variables) -> Preflight:
    """Give the check of a worker's surroundings with these variables."""
    settings = load_settings(
        {**REQUIRED, "THOTH_DEPLOYMENT_NAME": deployment, "THOTH_CONSUMER_MODE": "metrics", **variables}
    )
    topics = [Topic(f"{deployment}.{REPO_INIT}", 1, 1), halts_topic(settings)]
    return Preflight(settings, topics, _not_asked_for, _not_asked_for)


def _not_asked_for() -> NoReturn:
    raise AssertionError("a worker that only counts needs neither graph nor cluster")


async def problem_of(deployment: str, variables: Variables) -> str:
    """Run the check, which has to find exactly one problem, and give it."""
    with pytest.raises(PreflightError) as caught:
        await preflight(deployment, variables).run()
    (problem,) = caught.value.problems
    return problem

# SPDX-License-Identifier: GPL-3.0-or-later
import logging

import pytest
from prometheus_client import CollectorRegistry

from investigator.delivery.ledger import Partition
from investigator.delivery.messages import Delivery
from investigator.delivery.origin import Origin
from investigator.observability.metrics import Metrics
from investigator.observability.telemetry import Telemetry

TOPIC = "stage.thoth.repo-init"


@pytest.mark.parametrize("is_for_other_group", [False, True])
def test_a_replay_for_another_group_is_logged_and_counted_apart(
    *, is_for_other_group: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It was not processed here, so an operator must not read that it was."""
    metrics = Metrics(CollectorRegistry())
    telemetry = Telemetry(metrics)
    delivery = Delivery(
        "thoth.repo-init",
        Partition(TOPIC, 0),
        7,
        None,
        Origin(TOPIC, 0, 3, 0),
        list,
        is_for_other_group=is_for_other_group,
    )
    with caplog.at_level(logging.INFO):
        telemetry.started(delivery)
        telemetry.stopped(delivery, succeeded=True)
    counted = {
        name: metrics.registry.get_sample_value(f"thoth_investigator_{name}", {"message_type": "repo_init"})
        for name in ("processed_total", "replays_for_other_groups_total", "in_progress")
    }
    assert counted == {
        "processed_total": float(not is_for_other_group),
        "replays_for_other_groups_total": float(is_for_other_group),
        "in_progress": 0.0,
    }
    assert ("addressed to another consumer group" in caplog.text) == is_for_other_group

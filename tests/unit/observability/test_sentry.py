# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.observability.redaction import MASK, Redactor
from investigator.observability.sentry import before_send


def test_a_report_contains_no_secret_at_any_depth() -> None:
    """Messages, exceptions and breadcrumbs may quote what a call was given."""
    report = before_send(Redactor(["hunter2"]))(
        {
            "message": "hunter2",
            "exception": {"values": [{"value": "no hunter2", "type": "ValueError"}]},
            "breadcrumbs": {"values": [{"data": {"url": "https://x:hunter2@y"}}]},
            "level": "error",
        },
        {},
    )
    assert "hunter2" not in repr(report)
    assert repr(report).count(MASK) == 3
    assert report["level"] == "error"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' rules for metadata, as the stand-in keeps them."""

from typing import Any

import pytest

from sandbox.metadata_rules import check_metadata
from sandbox.statuses import Refusal

ID = "solver-rhel-8-py38-261122103000-00000000000000ab"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app": "thoth", "thoth-station.ninja/partition": "3", "empty": ""}},
        {"labels": {"a": "v" * 63}},
        {"annotations": {"thoth-station.ninja/topic": "any text at all: ü, spaces\n"}},
    ],
)
def test_proper_metadata_pass(metadata: dict[str, Any]) -> None:
    """Guarantee: what Kubernetes takes, the stand-in takes."""
    check_metadata("Workflow", "argoproj.io", {"name": ID, **metadata})


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "Upper"}, "metadata.name"),
        ({"name": "n" * 254}, "metadata.name"),
        ({"labels": {"a": "v" * 64}}, "metadata.labels"),
        ({"labels": {"a": "-v"}}, "metadata.labels"),
        ({"labels": {"a": "x y"}}, "metadata.labels"),
        ({"labels": {"a": 3}}, "metadata.labels"),
        ({"labels": {"a b": "v"}}, "metadata.labels"),
        ({"labels": {"a" * 64: "v"}}, "metadata.labels"),
        ({"annotations": {"Bad_Prefix/a": "v"}}, "metadata.annotations"),
        ({"annotations": {"a": "v" * 262144}}, "metadata.annotations"),
    ],
)
def test_improper_metadata_are_refused(metadata: dict[str, Any], field: str) -> None:
    """Guarantee: what Kubernetes refuses is refused with 422 and the name of the field."""
    with pytest.raises(Refusal) as refused:
        check_metadata("Workflow", "argoproj.io", {"name": ID, **metadata})
    assert refused.value.code == 422
    assert refused.value.details["causes"] == [
        {"reason": "FieldValueInvalid", "message": str(refused.value).split(f"{field}: ", 1)[1], "field": field}
    ]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' validation of metadata, as the cluster stand-in implements it."""

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
def test_valid_metadata_are_accepted(metadata: dict[str, Any]) -> None:
    """The rules are no stricter than those of Kubernetes."""
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
def test_invalid_metadata_are_refused_with_422(metadata: dict[str, Any], field: str) -> None:
    """The reply names the field and the reason, as in Kubernetes."""
    with pytest.raises(Refusal) as refused:
        check_metadata("Workflow", "argoproj.io", {"name": ID, **metadata})
    assert refused.value.code == 422
    assert refused.value.details["causes"] == [
        {"reason": "FieldValueInvalid", "message": str(refused.value).split(f"{field}: ", 1)[1], "field": field}
    ]

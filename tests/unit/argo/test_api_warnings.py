# SPDX-License-Identifier: GPL-3.0-or-later
"""The warnings of the API are logged once each, in bounded memory."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.argo.api_warnings import _MAX_REMEMBERED, ApiWarnings


@pytest.fixture(autouse=True)
def level(caplog: pytest.LogCaptureFixture) -> None:
    """Capture warnings."""
    caplog.set_level(logging.WARNING, "investigator")


def test_a_warning_is_logged_once_for_each_subject(caplog: pytest.LogCaptureFixture) -> None:
    """A template's unknown field is a fact about the template, not about each of its thousand workflows."""
    warnings = ApiWarnings()
    for subject in ("template adviser", "template solver", "template adviser"):
        warnings.log_new(subject, [r'299 - "unknown field \"spec.foo\""', '299 - "deprecated"'])
    assert [record.getMessage() for record in caplog.records] == [
        f"The cluster's API sent a warning subject={subject} warning={text}"
        for subject in ("template adviser", "template solver")
        for text in ('unknown field "spec.foo"', "deprecated")
    ]


def test_the_memory_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """An API whose texts differ each time does not fill the memory; a text that comes often is not forgotten."""
    warnings = ApiWarnings()
    for number in range(3 * _MAX_REMEMBERED):
        warnings.log_new("subject", [f'299 - "{number}"', '299 - "always"'])
    assert len(warnings._seen) == _MAX_REMEMBERED
    assert caplog.text.count("warning=always") == 1


@given(st.text())
def test_any_header_is_taken(header: str) -> None:
    """What no server should send is logged in one line of limited length."""
    warnings = ApiWarnings()
    warnings.log_new("subject", [header])
    ((_, text),) = warnings._seen
    assert len(text) <= 500
    assert text.isprintable()

# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from sandbox.play import messages
from sandbox.play.messages import Outgoing, PackageVersion
from sandbox.play.subjects import shorten_index_urls, subject_of_message, subject_of_workflow
from sandbox.workflow_store import CreatedWorkflow
from tests.sandbox.play.fake_knowledge import URL, workflow

PAYLOAD = {"repository": {"full_name": "thoth-station/thamos"}}


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        (messages.package_released(PackageVersion("click", "8.1.3", URL)), f"click 8.1.3 on {URL}"),
        (messages.missing_package("ctx", URL), f"ctx, every version on {URL}"),
        (messages.unrevsolved_package("numpy", "1.22.4"), "numpy 1.22.4"),
        (messages.adviser_trigger("user-api", job_id="adviser-1"), "adviser-1"),
        (messages.adviser_trigger("solver", re_run_adviser_id="adviser-1"), "adviser-1"),
        (messages.kebechet_trigger(PAYLOAD), "thoth-station/thamos"),
        (messages.inspection_completed("inspection-1"), "inspection-1"),
    ],
)
def test_every_message_has_a_subject(message: Outgoing, subject: str) -> None:
    """The line that is printed for a message names its package, image, repository or job, whatever its type."""
    assert subject_of_message(message) == subject


@pytest.mark.parametrize(
    ("created", "subject"),
    [
        (
            workflow("solver", THOTH_SOLVER_NAME="solver-a", THOTH_SOLVER_PACKAGES="click===8.1.3"),
            "solver-a click 8.1.3",
        ),
        (workflow("kebechet-administrator", THOTH_PACKAGE_NAME="ctx"), "kebechet-administrator ctx, every version"),
        (workflow("kebechet-run-url", KEBECHET_REPO_URL="https://x/y"), "kebechet-run-url https://x/y"),
        (workflow("adviser", "adviser-1"), "adviser-1"),
    ],
)
def test_the_subject_of_a_workflow_begins_with_its_kind(created: CreatedWorkflow, subject: str) -> None:
    """The kind or the workflow's name, which begins with a word for the kind."""
    assert subject_of_workflow(created) == subject


def test_the_address_of_the_embedded_index_is_left_out() -> None:
    """The line has only the name of the real index."""
    assert (
        shorten_index_urls("click on http://127.0.0.1:1/pypi.org/simple", "http://127.0.0.1:1")
        == "click on pypi.org/simple"
    )

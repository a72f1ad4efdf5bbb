# SPDX-License-Identifier: GPL-3.0-or-later
"""Kebechet has to run on the repository at a URL, for a user or because a package that it uses has changed.

user-api or Kebechet's administrator sends the message. The worker schedules the kebechet-run-url workflow, which gets
the metadata about the change. Older producers send no metadata.
"""

from collections.abc import Mapping
from typing import ClassVar

from typing_extensions import TypedDict

from investigator.agent import Message, Mode, PermanentError, Unused, Work, agent


class KebechetMetadata(TypedDict, total=False):
    """The reason for the run: the number of an internal trigger of thoth-common, and its package version."""

    message_justification: int | None
    package_name: str | None
    package_version: str | None
    package_index: str | None


class KebechetRunUrlTrigger(Message, serializer="json"):
    """The repository, its git service, and the reason for the run."""

    url: str | None = None
    service_name: str | None = None
    installation_id: Unused = None
    job_id: str | None = None
    metadata: KebechetMetadata | None = None

    aliases: ClassVar[Mapping[str, str]] = {"kebechet_metadata": "metadata"}


@agent("thoth.kebechet-run-url-trigger", mode=Mode.BACKEND, versions=("v1", "v2"))
async def run_kebechet(message: KebechetRunUrlTrigger, work: Work) -> None:
    """Schedule Kebechet for the repository. The default service is GitHub."""
    if not message.url:
        raise PermanentError("field 'url': should be the URL of a repository")
    await work.schedule(
        "kebechet-run-url",
        job_id=message.job_id,
        repo_url=message.url,
        service_name=message.service_name or "github",
        kebechet_metadata=message.metadata,
    )

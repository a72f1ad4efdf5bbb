# SPDX-License-Identifier: GPL-3.0-or-later
"""Kebechet is to run on a repository, named by its URL: for a user, or because a package that it uses has news.

The kebechet-run-url workflow does so; the metadata, which older producers lack, tells it about the news.
"""

from collections.abc import Mapping
from typing import ClassVar

from typing_extensions import TypedDict

from investigator.agent import Message, Mode, PermanentError, Work, agent


class KebechetMetadata(TypedDict, total=False):
    """What happened (the number of an internal trigger of thoth-common), and to which package."""

    message_justification: int | None
    package_name: str | None
    package_version: str | None
    package_index: str | None


class KebechetRunUrlTrigger(Message, serializer="json"):
    """Which repository, on which git service, and why."""

    url: str | None = None
    service_name: str | None = None
    installation_id: str | None = None
    job_id: str | None = None
    metadata: KebechetMetadata | None = None

    aliases: ClassVar[Mapping[str, str]] = {"kebechet_metadata": "metadata"}


@agent("thoth.kebechet-run-url-trigger", mode=Mode.BACKEND, versions=("v1", "v2"))
async def run_kebechet(message: KebechetRunUrlTrigger, work: Work) -> None:
    """Schedule Kebechet on the repository; without a service it is one on GitHub."""
    if not message.url:
        raise PermanentError("field 'url': Kebechet needs the address of a repository, and there is none")
    await work.schedule(
        "kebechet-run-url",
        job_id=message.job_id,
        repo_url=message.url,
        service_name=message.service_name or "github",
        kebechet_metadata=message.metadata,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""A user asks for the contents of a container image.

user-api sends the message. The worker schedules the package-extract workflow, which analyses the image.
"""

from investigator.agent import Message, Mode, SecretStr, Text, Work, agent, secret_value


class PackageExtractTrigger(Message, serializer="json"):
    """The image, its purpose (runtime or buildtime), and the credentials of its registry, named as in thoth-common."""

    image: Text
    environment_type: str
    is_external: bool = True
    verify_tls: bool = True
    debug: bool = False
    job_id: str | None = None
    origin: str | None = None
    registry_user: str | None = None
    registry_password: SecretStr | None = None
    graph_sync: bool = False


@agent("thoth.package-extract-trigger", mode=Mode.BACKEND, versions=("v1", "v2"))
async def extract(message: PackageExtractTrigger, work: Work) -> None:
    """Schedule the analysis of the image."""
    password = secret_value(message.registry_password)
    await work.schedule("package-extract", **{**message.own_fields(), "registry_password": password})

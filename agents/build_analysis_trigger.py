# SPDX-License-Identifier: GPL-3.0-or-later
"""A build of a container image has to be analysed: its base image, its output image, its log, or several of these.

user-api sends the message. The worker schedules one build-analysis workflow, which stores the result of each analysis
as a document of its own.
"""

from investigator.agent import Message, Mode, SecretStr, Work, agent, secret_value


class BuildAnalysisTrigger(Message, serializer="json"):
    """The images and the log, the ids of the results, and the registry credentials, named as in thoth-common."""

    base_image: str | None = None
    base_image_analysis_id: str | None = None
    buildlog_document_id: str | None = None
    buildlog_parser_id: str | None = None
    environment_type: str | None = None
    debug: bool = False
    job_id: str | None = None
    origin: str | None = None
    output_image: str | None = None
    output_image_analysis_id: str | None = None
    base_registry_password: SecretStr | None = None
    base_registry_user: str | None = None
    base_registry_verify_tls: bool = True
    output_registry_password: SecretStr | None = None
    output_registry_user: str | None = None
    output_registry_verify_tls: bool = True


@agent("thoth.build-analysis-trigger", mode=Mode.MIDDLETIER)
async def analyse(message: BuildAnalysisTrigger, work: Work) -> None:
    """Schedule the analysis, with the ids of its results."""
    # Ids that the message lacks are derived from it: thoth-common would make random ones, different at each repetition.
    arguments = message.own_fields() | {
        "base_registry_password": secret_value(message.base_registry_password),
        "output_registry_password": secret_value(message.output_registry_password),
    }
    for subject, field, prefix in (
        ("base_image", "base_image_analysis_id", "package-extract"),
        ("output_image", "output_image_analysis_id", "package-extract"),
        ("buildlog_document_id", "buildlog_parser_id", "buildlog-parser"),
    ):
        if arguments[subject] and not arguments[field]:
            arguments[field] = work.new_id(prefix, field)
    await work.schedule("build-analysis", **arguments)

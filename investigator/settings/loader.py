# SPDX-License-Identifier: GPL-3.0-or-later
"""From the environment to settings: everything that is wrong is found at once and said with its remedy."""

import os
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from investigator.errors import StartupError
from investigator.settings.model import Settings
from investigator.settings.reference import reference

_SASL = ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")


class ConfigurationError(StartupError):
    """The settings are wrong. ``problems`` has one text for each thing to put right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The settings are wrong:", *(f"  - {problem}" for problem in problems)]))
        self.problems = problems


class _Environment(EnvSettingsSource):
    """Reads the variables of the settings out of a mapping instead of the process's own environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        known = {name.lower(): text.strip() for name, text in environ.items() if name.isupper()}
        self.env_vars = {name: text for name, text in known.items() if text}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings out of the environment; an empty variable counts as an absent one.

    Raises:
        ConfigurationError: listing everything that is wrong, not only the first thing.
    """
    values = _Environment(os.environ if environ is None else environ)()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigurationError([*map(_problem, _in_order(error)), *_contradictions(values)]) from None
    if problems := _contradictions(values):
        raise ConfigurationError(problems)
    return settings


def _in_order(error: ValidationError) -> list[ErrorDetails]:
    names = [setting.name for setting in reference()]
    return sorted(error.errors(include_url=False), key=lambda detail: names.index(str(detail["loc"][0])))


def _problem(detail: ErrorDetails) -> str:
    setting = next(each for each in reference() if each.name == detail["loc"][0])
    if detail["type"] == "missing":
        return f"{setting.variable} is not set. Set it ({setting.form}): {setting.purpose}"
    rule = detail["msg"].removeprefix("Value error, ").rstrip(".")
    given = "" if setting.secret else f" {detail['input']!r}:"
    return f"{setting.variable}:{given} {rule}. Set it to: {setting.form}."


def _contradictions(values: Mapping[str, object]) -> list[str]:
    return [*_incomplete_sasl(values), *_key_without_certificate(values)]


def _incomplete_sasl(values: Mapping[str, object]) -> list[str]:
    protocol = str(values.get("kafka_security_protocol", ""))
    return [
        f"{name.upper()} is not set, but KAFKA_SECURITY_PROTOCOL is {protocol}. Set it, or choose another protocol."
        for name in _SASL
        if protocol.startswith("SASL_") and name not in values
    ]


def _key_without_certificate(values: Mapping[str, object]) -> list[str]:
    if "kafka_ssl_key_location" not in values or "kafka_ssl_certificate_location" in values:
        return []
    return ["KAFKA_SSL_CERTIFICATE_LOCATION is not set, but KAFKA_SSL_KEY_LOCATION is. Set both or neither."]

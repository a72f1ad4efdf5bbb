# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the settings from the environment; one error lists every problem together with its remedy."""

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
    """The settings are invalid; ``problems`` has one text for each problem, with its remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["Invalid settings:", *(f"  - {problem}" for problem in problems)]))
        self.problems = problems


class _Environment(EnvSettingsSource):
    """Reads the settings from a mapping instead of the environment of the process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        known = {name.lower(): text.strip() for name, text in environ.items() if name.isupper()}
        self.env_vars = {name: text for name, text in known.items() if text}


def variable_names() -> frozenset[str]:
    """Return the names of all variables in the environment of the process."""
    return frozenset(os.environ)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment; an empty variable counts as absent.

    Args:
        environ: the variables to read; None for the environment of the process.

    Raises:
        ConfigurationError: the settings are invalid; it lists every problem, not only the first one.
    """
    values = _Environment(os.environ if environ is None else environ)()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigurationError([*map(_problem, _in_order(error)), *_conflicts(values)]) from None
    if problems := _conflicts(values):
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
    given = "the value" if setting.secret else repr(detail["input"])
    return f"{setting.variable}: {given} is invalid: {rule}. Set it to: {setting.form}."


def _conflicts(values: Mapping[str, object]) -> list[str]:
    return [*_missing_sasl_settings(values), *_key_without_certificate(values), *_graph_tls(values)]


def _missing_sasl_settings(values: Mapping[str, object]) -> list[str]:
    protocol = str(values.get("kafka_security_protocol", "")).upper()
    return [
        f"{name.upper()} is not set, but KAFKA_SECURITY_PROTOCOL is {protocol}. Set it, or choose another protocol."
        for name in _SASL
        if protocol.startswith("SASL_") and name not in values
    ]


def _key_without_certificate(values: Mapping[str, object]) -> list[str]:
    if "kafka_ssl_key_location" not in values or "kafka_ssl_certificate_location" in values:
        return []
    return ["KAFKA_SSL_CERTIFICATE_LOCATION is not set, but KAFKA_SSL_KEY_LOCATION is. Set both or neither."]


def _graph_tls(values: Mapping[str, object]) -> list[str]:
    mode = str(values.get("knowledge_graph_ssl_mode", "")).lower()
    if mode not in ("", "disable") and str(values.get("knowledge_graph_ssl_disabled", "0")) not in ("", "0"):
        return [f"KNOWLEDGE_GRAPH_SSL_DISABLED is set, but KNOWLEDGE_GRAPH_SSL_MODE is {mode}. Remove one of them."]
    if mode == "verify-ca" and "knowledge_graph_ssl_ca_location" not in values:
        return ["KNOWLEDGE_GRAPH_SSL_CA_LOCATION is not set, but KNOWLEDGE_GRAPH_SSL_MODE is verify-ca. Set it too."]
    return []

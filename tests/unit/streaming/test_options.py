# SPDX-License-Identifier: GPL-3.0-or-later
"""Only documented environment variables have an effect, and every session time-out that brokers accept works."""

import re

import faust
import pytest
from faust.types.settings import Settings as FaustSettings

from investigator.settings import load_settings
from investigator.settings.reference import reference
from investigator.streaming.options import faust_options, ignored_variables
from tests.support.required_settings import REQUIRED

VARIABLES = sorted({each.env_name for each in FaustSettings.SETTINGS.values() if each.env_name})
ODD = ["tcp://10.0.0.1:80", "1"]


def shown(app: faust.App) -> dict[str, str]:
    """Return all settings of a Faust application."""
    names = [
        name
        for name, setting in FaustSettings.SETTINGS.items()
        if not setting.version_deprecated and name != "reply_to"
    ]
    # Each application makes its own objects for some settings.
    return {name: re.sub("0x[0-9a-f]+", "", str(getattr(app.conf, name))) for name in names}


@pytest.mark.parametrize("text", ODD)
def test_no_variable_of_faust_changes_a_worker(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes adds some of them for Services of the namespace, and they win over the options of an application."""
    options = faust_options(load_settings(REQUIRED))
    before = shown(faust.App("worker", **options))
    for name in VARIABLES:
        monkeypatch.setenv(name, text)
    assert shown(faust.App("worker", **options)) == before


def test_ignored_variables_are_named() -> None:
    """An operator who has set one sees it in the log."""
    assert len(VARIABLES) > 50
    assert ignored_variables([*REQUIRED, "WEB_PORT", "APP_VERSION", "PATH"]) == ["APP_VERSION", "WEB_PORT"]


def test_no_setting_of_the_worker_has_the_name_of_one_of_faust() -> None:
    """It would be reported as ignored."""
    assert ignored_variables([setting.variable for setting in reference()]) == []


@pytest.mark.parametrize("seconds", ["6", "89", "90", "120", "1800"])
def test_the_client_accepts_every_session_timeout_of_the_brokers(seconds: str) -> None:
    """Faust refuses a session that is longer than a request."""
    settings = load_settings(REQUIRED | {"THOTH_INVESTIGATOR_SESSION_TIMEOUT": seconds})
    app = faust.App("worker", **faust_options(settings))
    assert app.conf.broker_request_timeout > app.conf.broker_session_timeout == float(seconds)
    assert app.conf.broker_heartbeat_interval < app.conf.broker_session_timeout

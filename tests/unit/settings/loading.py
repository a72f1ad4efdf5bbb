# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings from the required variables and a few others."""

import pytest

from investigator.settings import ConfigurationError, Settings, load_settings
from tests.support.required_settings import REQUIRED


def load(**variables: str) -> Settings:
    """Load the settings from the required variables and these."""
    return load_settings(REQUIRED | variables)


def problems(**variables: str) -> list[str]:
    """Return why the settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(**variables)
    return caught.value.problems

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every environment variable, once: type, default, unit and purpose. No other module reads the environment."""

from investigator.settings.loader import ConfigurationError, load_settings, variable_names
from investigator.settings.model import Settings

__all__ = ["ConfigurationError", "Settings", "load_settings", "variable_names"]

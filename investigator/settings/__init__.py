# SPDX-License-Identifier: GPL-3.0-or-later
"""Every environment variable, once: its type, default, unit, and what it is for. Nobody else reads the environment."""

from investigator.settings.loader import ConfigurationError, load_settings
from investigator.settings.model import Settings

__all__ = ["ConfigurationError", "Settings", "load_settings"]

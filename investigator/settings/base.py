# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of all groups of settings."""

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SettingsGroup(BaseSettings):
    """Settings that belong together; the docstring of each group is its title in the reference.

    An attribute has the name of its environment variable in lower case. The text under it states the purpose and, where
    there is a default, the reason for it.
    """

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values only from the caller: `load_settings` is the one place that reads the environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

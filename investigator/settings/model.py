# SPDX-License-Identifier: GPL-3.0-or-later
"""All settings in one object."""

from collections.abc import Iterator

from pydantic import SecretStr

from investigator.settings.delivery import DeliverySettings
from investigator.settings.integrations import ClusterSettings, GraphSettings, OtherSettings
from investigator.settings.kafka import KafkaSettings

#: The groups in the order of the reference.
SECTIONS = (KafkaSettings, DeliverySettings, ClusterSettings, GraphSettings, OtherSettings)


class Settings(KafkaSettings, DeliverySettings, ClusterSettings, GraphSettings, OtherSettings):
    """What the environment says, checked; an attribute is named like its variable, in lower case."""

    def secrets(self) -> Iterator[str]:
        """Give the text of every password that was set, for the one place that keeps them out of logs.

        Defaults are left out: they are public, and ordinary words.
        """
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, SecretStr) and value != field.default:
                yield value.get_secret_value()

# SPDX-License-Identifier: GPL-3.0-or-later
"""All settings in one object, which is the union of the groups."""

from collections.abc import Iterator

from pydantic import SecretStr

from investigator.settings.delivery import DeliverySettings
from investigator.settings.integrations import ClusterSettings, GraphSettings, OtherSettings
from investigator.settings.kafka import KafkaSettings

#: The groups in the order of the reference.
GROUPS = (KafkaSettings, DeliverySettings, ClusterSettings, GraphSettings, OtherSettings)


class Settings(KafkaSettings, DeliverySettings, ClusterSettings, GraphSettings, OtherSettings):
    """The validated settings; an attribute has the name of its environment variable in lower case."""

    def secrets(self) -> Iterator[str]:
        """Yield the text of every password that was set, for the redactor of the logs.

        Defaults are left out: they are public, and ordinary words that may appear in any log line.
        """
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, SecretStr) and value != field.default:
                yield value.get_secret_value()

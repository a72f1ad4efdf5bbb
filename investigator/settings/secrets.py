# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to read the text of a secret."""

from pydantic import SecretStr


def secret_value(secret: SecretStr | None) -> str | None:
    """Return the text of a secret, or None where it is not set. Pass the text only to the call that needs it."""
    return None if secret is None else secret.get_secret_value()

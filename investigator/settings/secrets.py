# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of secrets."""

from pydantic import SecretStr


def secret_value(secret: SecretStr | None) -> str | None:
    """Give the text of a secret to the one call that needs it."""
    return None if secret is None else secret.get_secret_value()

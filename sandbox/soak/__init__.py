# SPDX-License-Identifier: GPL-3.0-or-later
"""Two workers under load for minutes while everything around them fails by chance; then every message is looked for."""

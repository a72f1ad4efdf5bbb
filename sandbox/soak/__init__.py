# SPDX-License-Identifier: GPL-3.0-or-later
"""The soak test: two workers under load while dependencies fail at random; then every message is accounted for."""

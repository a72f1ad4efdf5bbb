# SPDX-License-Identifier: GPL-3.0-or-later
"""What investigator does about each type of message: one module a type."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication, encryption and ACLs, on a broker that enforces them."""

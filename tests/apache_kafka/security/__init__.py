# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting in, being refused, and what one may do, on a broker that asks for certificates, passwords and rights."""

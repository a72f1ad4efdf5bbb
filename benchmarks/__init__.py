# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast it is, as ratios inside one run; what is measured how is told in docs/performance.md."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: running workers, one fault of a dependency after the other, and what each fault may delay or stop.

`faults.py` lists the faults. One line adds one: what it does, what needs the broken part, and what must hold.
"""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Becomes another program that ends when its parent does: `python parent_death_exec.py SIGNAL USER PARENT PROGRAM [ARGUMENT...]`.

Run as a script, on the standard library alone. SIGNAL is the number of the signal that the program gets when the thread
that started it is gone, however that came about; where the kernel has no such thing, nothing happens. USER is the
number of the user to become first, negative to stay who one is. PARENT is the starter's process id.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _main() -> None:
    death_signal, user, parent, *command = sys.argv[1:]
    if int(user) >= 0:
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() == int(parent):  # otherwise the starter ended before the line above
        os.execv(command[0], command)  # noqa: S606 - no shell, that is the point


if __name__ == "__main__":
    _main()

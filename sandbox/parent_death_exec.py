# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute a program that gets a signal when its parent ends.

Usage: `python parent_death_exec.py SIGNAL USER PARENT PROGRAM [ARGUMENT...]`. The script needs only the standard
library.

SIGNAL is the number of the signal that the kernel sends when the thread that started the program has ended, for any
reason. Only Linux has such a signal; elsewhere the program starts without it. USER is the id of the user to switch to
first; a negative number keeps the user. PARENT is the process id of the parent.
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
    if os.getppid() == int(parent):  # otherwise the parent ended before prctl, so no signal would come
        os.execv(command[0], command)  # noqa: S606 - it must replace this process, so no shell


if __name__ == "__main__":
    _main()
